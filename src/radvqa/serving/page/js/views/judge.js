export const title = "Judge";

export function mount(root) {
  root.append("Judge");
}

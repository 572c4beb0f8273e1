export const title = "Runs";

export function mount(root) {
  root.append("Runs");
}

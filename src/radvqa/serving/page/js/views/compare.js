export const title = "Compare";

export function mount(root) {
  root.append("Compare");
}

export const title = "Ask";

export function mount(root) {
  root.append("Ask");
}

// Asks the chosen models about the picture as it is shown, and hands each event to the model's card.
import { stopped, stream } from "../api.js";
import { state } from "../state.js";

export async function askModels(question, view, cards, signal) {
  const to = (event) => (data) => cards.get(data.model)?.[event](data.text ?? data.error);
  const open = new Set(cards.keys());
  try {
    await stream(
      "api/answers",
      { picture: state.picture.id, view, question, models: [...cards.keys()] },
      {
        progress: to("progress"),
        token: to("token"),
        refused: (data) => {
          open.delete(data.model);
          cards.get(data.model)?.refused(data.error);
        },
        answer: (data) => {
          open.delete(data.model);
          state.answers.set(data.model, data);
          cards.get(data.model)?.answer(data);
          state.set({ answers: state.answers });
        },
      },
      signal,
    );
  } catch (error) {
    for (const name of open) stopped(error) ? cards.get(name).stopped() : cards.get(name).refused(error.message);
  }
}

// Shows a picture; what a model is asked about is what is seen here.
import { h, replace } from "../dom.js";

export class Viewer extends EventTarget {
  constructor(root) {
    super();
    this.root = root;
    this.view = {};
  }

  async show(picture) {
    this.picture = picture;
    replace(this.root, h("img", { src: `api/pictures/${picture.id}/pixels`, alt: `The picture ${picture.name}` }));
  }
}

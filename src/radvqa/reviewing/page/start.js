// The page of `radvqa curate review`: nothing but the review.
import { mount } from "./review.js";

mount(document.getElementById("review"), "api");

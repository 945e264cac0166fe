// Markdown. In: text of a dashboard. Out: elements. Raw HTML stays text; links go to http, https and mail only; pictures become links,
// because nothing is loaded from elsewhere.

import markdownIt from "../vendor/markdown-it-15.0.3.esm.min.mjs";
import { make } from "../dom.js";

const reader = markdownIt({ html: false, linkify: true, typographer: false });

export function markdown(text) {
  // Parsed apart from the page: nothing in it runs or is loaded before it was looked through.
  const parsed = new DOMParser().parseFromString(reader.render(text ?? ""), "text/html");
  for (const image of parsed.querySelectorAll("img")) {
    image.replaceWith(
      make("a", { href: image.getAttribute("src") ?? "" }, image.getAttribute("alt") || image.getAttribute("src")),
    );
  }
  for (const element of parsed.body.querySelectorAll("*")) {
    for (const { name } of [...element.attributes]) if (!["href", "title", "start"].includes(name)) element.removeAttribute(name);
  }
  for (const link of parsed.querySelectorAll("a")) {
    if (!/^(https?:|mailto:)/i.test(link.getAttribute("href") ?? "")) link.removeAttribute("href");
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer");
  }
  return make("div", { class: "markdown" }, ...document.importNode(parsed.body, true).childNodes);
}

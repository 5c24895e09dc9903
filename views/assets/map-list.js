import { element } from "./map-dom.js";
import { swatch } from "./map-symbols.js";
import { numberText, page, say } from "./map-words.js";

/** More than this is no list to read; zooming in makes it shorter. */
const longest = 100;

/**
 * One feature in view.
 * @typedef {{key: string, title: string, label: string, symbol: object, opacity: number}} Item
 */

/**
 * The features in view, beside the map: with the keyboard and by ear, the symbols on the map are out of reach.
 *
 * @param {HTMLElement} section
 * @param {(key: string) => void} choose called when the user chooses a feature
 */
export function featureList(section, choose) {
  const groups = element("div");
  section.append(groups);
  section.addEventListener("click", ({ target }) => {
    const { key } = target.closest("button")?.dataset ?? {};
    if (key) choose(key);
  });

  return {
    /** @param {{title: string, items: Item[]}[]} layers */
    show(layers) {
      const focused = document.activeElement?.dataset?.key;
      const filled = layers.filter(({ items }) => items.length > 0);
      section.hidden = filled.length === 0;
      groups.replaceChildren(...filled.map(group));
      if (focused && !this.focus(focused)) section.querySelector("h2").focus();
    },

    /** Gives the keyboard back to a feature; false when it is out of view. */
    focus(key) {
      const button = [...section.querySelectorAll("button")].find(({ dataset }) => dataset.key === key);
      button?.focus({ preventScroll: true });
      return button !== undefined;
    },
  };
}

function group({ title, items }) {
  const sorted = items.toSorted((one, other) =>
    one.title.localeCompare(other.title, page.locale, { numeric: true }),
  );
  const more = items.length - longest;
  return element(
    "section",
    { class: "group" },
    element("h3", {}, element("bdi", {}, title), ` (${numberText(items.length)})`),
    element("ul", { class: "features" }, ...sorted.slice(0, longest).map(entry)),
    ...(more > 0 ? [element("p", { class: "small" }, say("more", { count: numberText(more) }))] : []),
  );
}

function entry({ key, title, label, symbol, opacity }) {
  const text = element("span", {}, element("bdi", {}, title), element("span", { class: "small" }, label));
  const picture = element("span", { class: "swatch" }, swatch(symbol, opacity));
  return element("li", {}, element("button", { type: "button", "data-key": key }, picture, text));
}

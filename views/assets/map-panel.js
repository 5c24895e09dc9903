import { element } from "./map-dom.js";
import { swatch } from "./map-symbols.js";
import { say } from "./map-words.js";

/** In these states the page says something about a layer. (That one is loading is in the style alone: it is so at each step.) */
const spoken = ["waiting", "forbidden", "failed", "partly", "limited"];

/**
 * The place of one layer beside the map: its title, its state and its legend.
 *
 * @param {HTMLElement} panel
 * @param {string} title
 * @param {() => void} retry what "Try again" does
 */
export function layerSection(panel, title, retry) {
  const heading = element("h2", { "data-loading": say("loading") }, element("bdi", {}, title));
  const state = element("p", { class: "state small", role: "status" });
  const again = element("button", { type: "button", class: "button plain" }, say("tryAgain"));
  const legend = element("ul", { class: "legend" });
  const section = element("section", { class: "layer" }, heading, state, again, legend);
  again.addEventListener("click", retry);
  panel.append(section);

  return {
    /** @param {"loading" | "waiting" | "forbidden" | "failed" | "partly" | "limited" | "shown"} name */
    say(name) {
      section.dataset.state = name;
      state.hidden = !spoken.includes(name);
      state.textContent = state.hidden ? "" : say(name);
      again.hidden = name !== "failed" && name !== "partly";
    },

    /** @param {string} title the layer's own name, where none was configured */
    rename(title) {
      heading.replaceChildren(element("bdi", {}, title));
    },

    /** @param {{entries: {label: string, symbol: object}[], opacity: number}} renderer */
    explain({ entries, opacity }) {
      legend.replaceChildren(
        ...entries.map(({ label, symbol }) =>
          element(
            "li",
            {},
            element("span", { class: "swatch" }, swatch(symbol, opacity)),
            element("bdi", {}, label),
          ),
        ),
      );
    },
  };
}

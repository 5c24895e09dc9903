/** The texts of the page for its scripts, in its language (`map.` of views/locales), and the tag of that for `Intl`. */
export const page = { words: {}, locale: "en-GB" };

/** A text with its values. */
export function say(key, values = {}) {
  return page.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A number as the language writes it. */
export function numberText(number) {
  page.numbers ??= new Intl.NumberFormat(page.locale, { maximumFractionDigits: 6, useGrouping: "min2" });
  return page.numbers.format(number);
}

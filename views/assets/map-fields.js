import { element } from "./map-dom.js";
import { numberText, page, say } from "./map-words.js";

/** Types that mean nothing to a reader. */
const hidden = /^esriFieldType(?:OID|GlobalID|Geometry|Blob|Raster|XML)$/;
const measured = /^(?:shape|st_)_*(?:area|length|perimeter)/i;

/**
 * The fields of a layer, for people: aliases in place of names, and the words of domains in place of codes.
 *
 * @param {object} info what the service tells of the layer
 */
export function fieldsOf({ fields = [], displayField, typeIdField, types = [], objectIdField = "OBJECTID" }) {
  const shown = fields.filter(({ type, name }) => !hidden.test(type) && !measured.test(name));
  const domainOf = ({ name, domain }, attributes) => {
    const own = types.find(({ id }) => String(id) === String(attributes[typeIdField]))?.domains?.[name];
    return own && own.type !== "inherited" ? own : domain;
  };
  const textOf = (field, attributes) => {
    const value = attributes[field.name];
    const type = field.name === typeIdField && types.find(({ id }) => String(id) === String(value));
    return type ? type.name : valueText(value, field.type, domainOf(field, attributes));
  };
  return {
    /** What a feature is called. */
    titleOf(attributes) {
      const field = fields.find(({ name }) => name === displayField);
      return (
        (field && textOf(field, attributes)) || say("feature", { id: attributes[objectIdField] ?? "" }).trim()
      );
    },

    /** What is known of it: pairs of alias and text, without the title and what is empty. */
    rowsOf(attributes) {
      return shown
        .filter(({ name }) => name !== displayField)
        .map((field) => [field.alias || field.name, textOf(field, attributes)])
        .filter(([, text]) => text !== "");
    },
  };
}

const day = { day: "numeric", month: "long", year: "numeric" };
const days = { ...day, timeZone: "UTC" };
const times = { ...day, hour: "2-digit", minute: "2-digit" };
const msOfDay = 24 * 60 * 60 * 1000;

function valueText(value, type, domain) {
  if (value === null || value === undefined) return "";
  const coded = domain?.codedValues?.find(({ code }) => String(code) === String(value));
  if (coded) return coded.name;
  if (type === "esriFieldTypeDate" && Number.isFinite(value)) {
    // A date without a time is midnight in Greenwich, and would be the day before in America.
    page.days ??= new Intl.DateTimeFormat(page.locale, days);
    page.times ??= new Intl.DateTimeFormat(page.locale, times);
    return (value % msOfDay === 0 ? page.days : page.times).format(value);
  }
  return typeof value === "number" ? numberText(value) : String(value);
}

/** What opens over the map: a title and a table of the fields. */
export function popupContent(title, rows) {
  const list = rows.map(([name, text]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, element("bdi", {}, text))),
  );
  return element(
    "div",
    { class: "popup", tabindex: "0", role: "group", "aria-label": title },
    element("p", { class: "popup-title" }, element("bdi", {}, title)),
    element("dl", {}, ...list),
  );
}

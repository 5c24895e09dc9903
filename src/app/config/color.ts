/** The contrast that text needs (WCAG 2.2, 1.4.3, level AA). */
export const enough = 4.5;

export const white = "#ffffff";
const black = "#000000";

const channelsOf = (color: string) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));

/** WCAG 2.2, "relative luminance". */
function luminanceOf(color: string): number {
  const [red = 0, green = 0, blue = 0] = channelsOf(color).map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The contrast ratio of two colors, from 1 to 21. */
export function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [one, other].map(luminanceOf).sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** @param share how much of the second color there is, from 0 to 1 */
function mix(color: string, other: string, share: number): string {
  const others = channelsOf(other);
  const channels = channelsOf(color).map((value, index) => value + ((others[index] ?? 0) - value) * share);
  return `#${channels.map((value) => Math.floor(value).toString(16).padStart(2, "0")).join("")}`;
}

/** The color itself if white text has enough contrast on it, or else the lightest darker one of its hue. */
export function darkened(color: string): string {
  let share = 0;
  while (contrast(mix(color, black, share), white) < enough) share += 1 / 256;
  return mix(color, black, share);
}

/** The backgrounds of app.css, on which links and focus rings are seen. */
export const backgrounds = {
  light: { page: "#f3f3f3", card: white },
  dark: { page: "#2b2b2b", card: "#202020" },
};

/**
 * The colors of app.css that follow from one, by their names there, for light and dark. Text in them or on them has
 * enough contrast, whatever the color, if white text has on it.
 */
export function paletteOf(color: string) {
  const { light, dark } = backgrounds;
  const action = mix(color, white, 0.5);
  return {
    light: {
      action: color,
      // One that is nearly black becomes lighter.
      "action-hover": mix(color, luminanceOf(color) < 0.02 ? white : black, 0.25),
      "on-action": white,
      link: mix(color, black, 0.25),
      notice: mix(light.card, color, 0.1),
    },
    dark: {
      action,
      "action-hover": mix(color, white, 0.7),
      "on-action": "#0b0b0b",
      link: mix(color, white, 0.65),
      notice: mix(dark.card, action, 0.15),
    },
  };
}

/** The contrast that text needs (WCAG 2.2, 1.4.3, level AA). */
export const enough = 4.5;

export const white = "#ffffff";

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

/** What the color of a button is mixed with under the pointer: one that is nearly black becomes lighter. */
export function shadeOf(color: string): string {
  return luminanceOf(color) < 0.02 ? white : "#000000";
}

/** The color itself if white text has enough contrast on it, or else the lightest darker one of its hue. */
export function darkened(color: string): string {
  for (let share = 1; ; share -= 1 / 256) {
    const channels = channelsOf(color).map((channel) => Math.floor(channel * share));
    const darker = `#${Buffer.from(channels).toString("hex")}`;
    if (contrast(darker, white) >= enough) return darker;
  }
}

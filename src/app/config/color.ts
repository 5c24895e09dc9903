/** The contrast that text needs (WCAG 2.2, 1.4.3, level AA). */
export const enough = 4.5;

export const white = "#ffffff";

/** Red, green and blue in linear light, from 0 to 1 (WCAG 2.2, "relative luminance"). */
type Linear = [red: number, green: number, blue: number];

function linearOf(color: string): Linear {
  const channel = (at: number) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

/** @param round which way a channel goes that is between two of 255 steps */
function hexOf(color: Linear, round: (value: number) => number): string {
  const channels = color.map((value) => {
    const encoded = value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;
    return Math.min(255, Math.max(0, round(Number((encoded * 255).toFixed(6)))));
  });
  return `#${channels.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function luminanceOf([red, green, blue]: Linear): number {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The contrast ratio of two colors, from 1 to 21. */
export function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [one, other]
    .map((color) => luminanceOf(linearOf(color)))
    .sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/**
 * The color itself if its contrast to `background` is enough, or else the lightest darker one whose contrast is. The
 * ratio of its channels in linear light stays, and with it hue and saturation.
 */
export function darkened(color: string, background = white): string {
  if (contrast(color, background) >= enough) return color;
  const goal = (luminanceOf(linearOf(background)) + 0.05) / enough - 0.05;
  return withLuminance(color, goal);
}

/** The color at another luminance: with less or more light, and with white once there can be no more of its own. */
function withLuminance(color: string, goal: number): string {
  const linear = linearOf(color);
  const luminance = luminanceOf(linear);
  const factor = Math.min(goal / luminance, 1 / Math.max(...linear, 1e-6));
  const scaled = linear.map((value) => value * factor) as Linear;
  if (goal <= luminance) return hexOf(scaled, Math.floor);
  const reached = luminanceOf(scaled);
  return hexOf(mix(scaled, linearOf(white), Math.max(0, (goal - reached) / (1 - reached))), Math.ceil);
}

/** @param share how much of the second color there is, from 0 to 1 */
function mix(color: Linear, other: Linear, share: number): Linear {
  return color.map((value, index) => value + ((other[index] ?? 0) - value) * share) as Linear;
}

const mixed = (color: string, other: string, share: number) =>
  hexOf(mix(linearOf(color), linearOf(other), share), Math.round);

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
  const luminance = luminanceOf(linearOf(color));
  const action = withLuminance(color, 0.36);
  const notice = mixed(light.card, action, 0.2);
  return {
    light: {
      action: color,
      // One that is nearly black becomes lighter.
      "action-hover": withLuminance(color, luminance < 0.02 ? 0.06 : luminance * 0.6),
      "on-action": white,
      // Of the three backgrounds, this is the darkest.
      link: darkened(color, notice),
      notice,
    },
    dark: {
      action,
      "action-hover": withLuminance(color, 0.5),
      "on-action": "#0b0b0b",
      link: withLuminance(color, 0.45),
      notice: mixed(dark.card, action, 0.08),
    },
  };
}

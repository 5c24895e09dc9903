// Draws the sequence diagrams of docs/diagrams: one SVG that follows the reader's light or dark setting.

const margin = 16;
const [columnWidth, rowHeight] = [330, 38];
const style = `
  text { font: 14px system-ui, sans-serif; fill: #1f2328 }
  .name, .section { font-weight: 600 }
  .life { stroke: #d0d7de } .band { fill: #f0f3f6 } .box { fill: #ddf4ff; stroke: #54aeff } .arrow { stroke: #0550ae; stroke-width: 1.5 }
  .head { fill: #0550ae } .page { fill: #fff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .life { stroke: #3d444d } .band { fill: #212830 } .box { fill: #0c2d6b; stroke: #388bfd } .arrow { stroke: #79c0ff }
    .head { fill: #79c0ff } .page { fill: #0d1117 }
  }
`;

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const label = (x, y, text, attributes = "") =>
  `<text x="${x}" y="${y}" text-anchor="middle" ${attributes}>${escaped(text)}</text>`;

/**
 * @param source the title; the parties between `|`; then `== section`, `note PARTY: text` and `PARTY -> PARTY: text`
 * @returns SVG; its description is the source, for readers who cannot see it
 */
export function diagram(source) {
  const [title = "", first = "", ...lines] = source.split("\n").filter((line) => line.trim() !== "");
  const parties = first.split("|").map((name) => name.trim());
  const width = parties.length * columnWidth + 2 * margin;
  const x = (name) => {
    const column = parties.indexOf(name);
    if (column < 0) throw new Error(`${name} is not one of ${parties.join(", ")}`);
    return margin + columnWidth * (column + 0.5);
  };
  let y = margin + rowHeight;
  const rows = lines.map((line) => {
    y += rowHeight;
    const [, section] = /^== (.*)/.exec(line) ?? [];
    if (section)
      return `<rect class="band" x="${margin}" y="${y - 25}" width="${width - 2 * margin}" height="${rowHeight - 6}" rx="4"/>
<text class="section" x="${2 * margin}" y="${y - 4}">${escaped(section)}</text>`;
    const [, noted, note = ""] = /^note (.*?): (.*)/.exec(line) ?? [];
    if (noted)
      return `<rect class="box" x="${x(noted) - columnWidth / 2 + 12}" y="${y - 22}" width="${columnWidth - 24}" height="${rowHeight - 10}" rx="4"/>
${label(x(noted), y - 3, note)}`;
    const [, from = "", to = "", text = ""] = /^(.*?) -> (.*?): (.*)/.exec(line) ?? [];
    const direction = Math.sign(x(to) - x(from));
    const tip = x(to) - 2 * direction;
    // The text may be wider than the arrow; on the page's color it hides the lines of the parties behind it.
    const middle = Math.min(
      Math.max((x(from) + x(to)) / 2, margin + text.length * 3.7),
      width - margin - text.length * 3.7,
    );
    return `<rect class="page" x="${middle - text.length * 3.6}" y="${y - 24}" width="${text.length * 7.2}" height="19"/>
${label(middle, y - 9, text)}
<path class="arrow" d="M${x(from)} ${y}H${tip}"/><path class="head" d="M${tip} ${y}l${-9 * direction} -5v10z"/>`;
  });
  const height = y + margin;
  const lives = parties.map(
    (name) => `<path class="life" d="M${x(name)} ${margin + 28}V${height - 4}"/>
${label(x(name), margin + 18, name, 'class="name"')}`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title desc">
<title id="title">${escaped(title)}</title>
<desc id="desc">${escaped(source.trim())}</desc>
<style>${style}</style>
<rect class="page" width="${width}" height="${height}"/>
${[...lives, ...rows].join("\n")}
</svg>
`;
}

import assert from "node:assert/strict";

/**
 * Follows a page as a reader does who types every block: a block below `<!-- name -->` is that file, and a diff changes it.
 *
 * @param {string} text of the page
 * @returns {{ steps: Map<number, Map<string, string>>, commands: string[] }} the files at the end of each step, by the
 *   number in its heading and by their name; and the lines of all shell blocks. Throws for a diff that does not fit, and for
 *   a block that is neither a file nor a command.
 */
export function walkThrough(text) {
  const steps = new Map();
  const commands = [];
  const files = new Map();
  for (const part of text.split(/^## /m).slice(1)) {
    for (const [, name, language, block = ""] of part.matchAll(/(?:<!-- (\S+) -->\n)?```(\w+)\n(.*?)```/gs)) {
      if (language === "sh") commands.push(...block.trim().split("\n"));
      else if (name === undefined) assert.fail(`a block of ${language} does not say which file it is`);
      else if (language === "diff") files.set(name, patched(files.get(name) ?? "", block));
      else files.set(name, block);
    }
    steps.set(Number.parseInt(part, 10), new Map(files));
  }
  return { steps, commands };
}

function patched(text, diff) {
  const lines = diff.split("\n").slice(0, -1);
  const side = (sign) =>
    lines.flatMap((line) =>
      line === "" || line.startsWith(" ") || line.startsWith(sign) ? line.slice(1) : [],
    );
  const before = `${side("-").join("\n")}\n`;
  assert.equal(text.split(before).length, 2, `this has one place in the file:\n${before}`);
  return text.replace(before, () => `${side("+").join("\n")}\n`);
}

/** A reporter of node:test for evidence.js: a line of JSON for each test that was run. */
// biome-ignore lint/style/noDefaultExport: node:test takes the default export
export default async function* reporter(source) {
  for await (const { type, data } of source) {
    if (!/^test:(?:pass|fail)$/.test(type) || data.skip || data.todo) continue;
    yield `${JSON.stringify({ name: data.name, isPassed: type === "test:pass" })}\n`;
  }
}

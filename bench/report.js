import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { goals } from "./goals.js";
import { generatorCpus } from "./load.js";
import { median, number } from "./numbers.js";

/** The whole report as Markdown. */
export function report(results, plan, seconds) {
  return `# Benchmark

${plan.quick ? "**A quick run: its rounds are too short to quote anything of it.**\n\n" : ""}${about(plan, seconds)}

## What was measured

CPU is the server's own (user and system); of a row with two processes, CPU and memory are of both together.
Medians of the rounds.

${measured(results)}

## To reach

The ratios are medians of the ratios round by round. By CPU: how many times less CPU a request takes; it is
steadier than the rate on a busy machine.

${reached(results, plan)}
`;
}

function about(plan, seconds) {
  const [{ model }] = cpus();
  const { rounds, seconds: length, connections } = plan;
  return [
    `- ${cpus().length} cores (${model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}, Node ${process.versions.node}`,
    `- pages: ${rounds} alternating rounds of ${length} s, ${connections} connections, ${plan.users.toLocaleString("en")} signed-in users in rotation; sign-ins: ${plan.signInRounds} rounds of ${plan.signInSeconds} s, 20 visitors at once`,
    `- load generator (${number(median(generatorCpus) || 0)} us of CPU a request), portal and servers on the same machine, whose load average was ${number(plan.loadBefore)} before; ${Math.round(seconds)} s in all; ${new Date().toISOString().slice(0, 10)}`,
    `- ours: ${versionOf("..", "package.json")}${commit()} with express ${versionOf("..", "node_modules/express/package.json")}, express-session ${versionOf("..", "node_modules/express-session/package.json")}`,
    `- peers: ${peers().join(", ")}${redisVersion()}`,
  ].join("\n");
}

function versionOf(...path) {
  return JSON.parse(readFileSync([import.meta.dirname, ...path].join("/"), "utf8")).version;
}

function peers() {
  const { dependencies } = JSON.parse(readFileSync(`${import.meta.dirname}/package.json`, "utf8"));
  return Object.keys(dependencies).map(
    (name) => `${name} ${versionOf("node_modules", name, "package.json")}`,
  );
}

function commit() {
  const id = outputOf("git", ["rev-parse", "--short", "HEAD"]);
  return id ? ` (${id})` : "";
}

function redisVersion() {
  const version = /v=([\d.]+)/.exec(outputOf("redis-server", ["--version"]))?.[1];
  return version ? `, redis-server ${version}` : "; redis-server is missing";
}

function outputOf(command, args) {
  try {
    const stdio = ["ignore", "pipe", "ignore"];
    return execFileSync(command, args, { cwd: import.meta.dirname, encoding: "utf8", stdio }).trim();
  } catch {
    return "";
  }
}

function measured(results) {
  const ceiling = results.get("bare-express")?.rates ?? [];
  const rows = [...results.values()].map((its) => {
    if (its.failure) return [its.label, "failed", "", "", "", "", "", its.failure.split("\n", 1)[0]];
    return [
      its.label,
      its.rates ? number(median(its.rates)) : "",
      its.cpus ? `${number(median(its.cpus))} us` : "",
      its.p50s ? `${number(median(its.p50s))} ms` : "",
      its.p99s ? `${number(median(its.p99s))} ms` : "",
      its.rss ? `${number(its.rss / 1e6)} MB` : "",
      its.rates && ceiling.length > 0 && !its.portalCpus ? number(median(its.rates) / median(ceiling)) : "",
      noteOf(its),
    ];
  });
  return table(["", "a second", "CPU each", "p50", "p99", "RSS", "of bare Express", ""], rows);
}

function noteOf(its) {
  const { startMs, ms, stallMs, before, after, stale, signOuts, portalCpus, rssByCount, heap, grown } = its;
  const { stalls, redisCpus, packages, bytes, importMs } = its;
  const notes = [];
  if (startMs) notes.push(`listens after ${number(startMs)} ms`);
  if (ms)
    notes.push(
      `${number(ms)} ms, longest stall ${number(stallMs)} ms, ${before} files before, ${after} after`,
    );
  if (signOuts) notes.push(`${stale} of ${signOuts} sign-outs not seen at once by the other process`);
  if (portalCpus) notes.push(`the portal's own CPU: ${number(median(portalCpus))} us each`);
  if (redisCpus) notes.push(`Redis' own CPU: ${number(median(redisCpus))} us each`);
  if (rssByCount)
    notes.push(`after ${its.count.toLocaleString("en")} sign-ins; heap ${number(heap / 1e6)} MB`);
  if (stalls) notes.push(`median ${number(median(stalls))} ms, longest ${number(Math.max(...stalls))} ms`);
  if (packages) notes.push(`${packages} packages, ${number(bytes / 1e6)} MB, import ${number(importMs)} ms`);
  if (grown !== undefined) notes.push(`RSS grew by ${number(grown / 1e6)} MB`);
  return notes.join("; ");
}

function reached(results, plan) {
  const rows = goals(results, plan).map(({ row, what, goal, value, byCpu, reached }) => [
    row,
    what,
    goal,
    value ?? "",
    byCpu ?? "",
    { true: "yes", false: "no", "": "" }[reached] ?? "not measured",
  ]);
  return table(["row", "", "to reach", "measured", "by CPU", "reached"], rows);
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), line(heads.map((_, column) => (column ? "---:" : "---"))), ...rows.map(line)].join(
    "\n",
  );
}

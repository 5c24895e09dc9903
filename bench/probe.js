// Loaded into every server under test (`node --import`), ours and the peers alike. It tells the benchmark when
// the server listens, and on request what it has used so far. It does nothing between two questions.
import { Server } from "node:net";

const { listen } = Server.prototype;

Server.prototype.listen = function (...args) {
  this.once("listening", () => process.send?.({ port: this.address().port }));
  return listen.apply(this, args);
};

process.on("message", ({ question }) => {
  if (question === undefined) return;
  const { user, system } = process.cpuUsage();
  process.send?.({ question, cpuUs: user + system, rss: process.memoryUsage.rss() });
});

// The benchmark is gone, whatever the reason: no server stays behind.
process.on("disconnect", () => process.exit());

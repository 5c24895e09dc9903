import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRedisUrl, type RedisAddress } from "#src/app/config/redis-url.ts";

const plain: RedisAddress = {
  nodes: [{ host: "localhost", port: 6379 }],
  socketPath: undefined,
  cluster: false,
  tls: false,
  username: undefined,
  password: undefined,
  database: 0,
};

test("REDIS_URL names a server, a socket or a cluster", () => {
  const socket = { ...plain, nodes: [], socketPath: "/run/redis.sock" };
  const nodes = [
    { host: "a.test", port: 7000 },
    { host: "b.test", port: 7001 },
  ];
  const given: [string, RedisAddress][] = [
    ["redis://localhost", plain],
    ["redis://localhost/", plain],
    ["redis://localhost:6379/0", plain],
    ["redis://localhost/12", { ...plain, database: 12 }],
    ["redis://localhost?cluster=false", plain],
    ["redis://[::1]:7000", { ...plain, nodes: [{ host: "::1", port: 7000 }] }],
    ["rediss://localhost", { ...plain, tls: true }],
    ["redis://app:word@localhost", { ...plain, username: "app", password: "word" }],
    ["redis://:word@localhost", { ...plain, password: "word" }],
    ["redis://app:%40%3A%2F%C3%A9%25@localhost", { ...plain, username: "app", password: "@:/é%" }],
    ["unix:///run/redis.sock", socket],
    ["unix://localhost/run/redis.sock", socket],
    ["unix:///run/my%20redis.sock?db=3", { ...socket, socketPath: "/run/my redis.sock", database: 3 }],
    ["unix://app:word@/run/redis.sock", { ...socket, username: "app", password: "word" }],
    ["redis://a.test:7000?cluster=true", { ...plain, cluster: true, nodes: nodes.slice(0, 1) }],
    ["redis://a.test:7000,redis://b.test:7001", { ...plain, cluster: true, nodes }],
    [
      "rediss://:a,b@a.test:7000,rediss://:a,b@b.test:7001/0",
      { ...plain, cluster: true, tls: true, password: "a,b", nodes },
    ],
  ];
  for (const [text, address] of given) assert.deepEqual(parseRedisUrl(text), address, text);
});

test("REDIS_URL in capital letters means the same", () => {
  for (const text of ["redis://localhost:7000/0?cluster=true", "rediss://[::ffff]?cluster=false"])
    assert.deepEqual(
      parseRedisUrl(text.toUpperCase().replace("LOCALHOST", "localhost")),
      parseRedisUrl(text),
    );
});

test("what is no REDIS_URL, or means two things at once, is none", () => {
  const refused = [
    "",
    "localhost:6379",
    "http://localhost",
    "redis:",
    "redis://",
    "redis:///0",
    "redis://localhost:port",
    "redis://localhost:65536",
    "redis://localhost/one",
    "redis://localhost/1/2",
    "redis://localhost/-1",
    "redis://localhost#1",
    "redis://localhost?db=1",
    "redis://localhost?cluster=yes",
    "redis://localhost?cluster=true&password=word",
    "redis://localhost?password=word",
    "redis://:%zz@localhost",
    "redis://:%ff@localhost",
    "unix://",
    "unix:///",
    "unix://host/run/redis.sock",
    "unix://localhost:1/run/redis.sock",
    "unix:///run/redis.sock?db=one",
    "unix:///run/redis.sock?cluster=true",
    "redis://a.test,b.test",
    "redis://a.test:7000,b.test:7001",
    "redis://a.test,rediss://b.test",
    "redis://:one@a.test,redis://:two@b.test",
    "redis://a.test,redis://b.test/1",
    "redis://a.test/1?cluster=true",
    "redis://a.test,unix:///run/redis.sock",
    "redis://a.test,",
    "redis://a.test,http://b.test",
  ];
  for (const text of refused) assert.equal(parseRedisUrl(text), undefined, text);
});

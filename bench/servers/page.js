import { readFileSync } from "node:fs";

const filler = "The quick brown fox jumps over the lazy dog. ".repeat(18);
const small = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>The same page everywhere</title></head>
<body><h1>Hello {username}</h1><p>${filler}</p></body>
</html>
`;
const template = (process.env.PAGE ? readFileSync(process.env.PAGE, "utf8") : small).split("{username}");

/** The page that every peer serves: 1 KB, or the bytes of our own start page, with a user's name. */
export function page(username) {
  return template.join(username);
}

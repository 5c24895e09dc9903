const filler = "The quick brown fox jumps over the lazy dog. ".repeat(18);

/** The page that every peer serves, about 1 KB with the name of whoever is signed in. */
export function page(name) {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>The same page everywhere</title></head>
<body><h1>Hello ${name}</h1><p>${filler}</p></body>
</html>
`;
}

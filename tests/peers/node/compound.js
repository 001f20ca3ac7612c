// Prints the streams of a compound file, by the npm package `cfb`: {"path": "content in base64"}.
"use strict";
const CFB = require("cfb");
const file = CFB.read(process.argv[2], { type: "file" });
const streams = {};
file.FullPaths.forEach((path, place) => {
  const entry = file.FileIndex[place];
  if (entry.type === 2) streams[path.replace(/^Root Entry\//, "")] = Buffer.from(entry.content).toString("base64");
});
process.stdout.write(JSON.stringify(streams));

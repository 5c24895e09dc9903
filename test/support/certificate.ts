import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

/**
 * Makes a certificate for localhost and 127.0.0.1, or another name or IPv4 address, that no client trusts unless told to,
 * as PEM: what `https.createServer` takes. Node can read certificates but not make them, so this writes the DER of RFC 5280 by hand.
 */
export function selfSigned({ host = "localhost", ends = new Date("2100-01-01") } = {}): {
  key: string;
  cert: string;
} {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ecdsaWithSha256 = sequence(Buffer.from("06082a8648ce3d040302", "hex"));
  const commonName = sequence(Buffer.from("0603550403", "hex"), der(0x0c, Buffer.from(host)));
  const name = sequence(der(0x31, commonName));
  const address = host === "localhost" ? "127.0.0.1" : host;
  const names = sequence(
    ...(isIPv4(host) ? [] : [der(0x82, Buffer.from(host))]),
    ...(isIPv4(address) ? [der(0x87, Buffer.from(address.split(".").map(Number)))] : []),
  );
  const time = (date: Date) =>
    der(0x18, Buffer.from(`${date.toISOString().replace(/\D/g, "").slice(0, 14)}Z`));
  const subjectAltName = sequence(Buffer.from("0603551d11", "hex"), der(0x04, names));

  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])), // serial number
    ecdsaWithSha256,
    name,
    sequence(time(new Date("2020-01-01")), time(ends)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(subjectAltName)),
  );
  const signature = der(0x03, Buffer.concat([Buffer.of(0), sign("sha256", toBeSigned, privateKey)]));
  const certificate = sequence(toBeSigned, ecdsaWithSha256, signature).toString("base64");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.match(/.{1,64}/g)?.join("\n")}\n-----END CERTIFICATE-----\n`,
  };
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

/** Tag, length, content (X.690, 8.1). */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

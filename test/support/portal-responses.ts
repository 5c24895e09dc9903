export const head = (...lines: string[]) =>
  ["HTTP/1.1 200 OK", "Connection: close", ...lines, "", ""].join("\r\n");
export const http = (body: string, type = "application/json") =>
  head(`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`) + body;

export const validResponse = {
  access_token: "sound-access-token",
  expires_in: 1800,
  username: "sandy_admin",
  ssl: true,
  refresh_token: "sound-refresh-token",
  refresh_token_expires_in: 1_209_600,
};

import type { Response } from "express";
import { arcgisError } from "./answers.ts";

/** The places where a fault can be switched on. */
export type Endpoint =
  | "authorize"
  | "token"
  | "revokeToken"
  | "self"
  | "portalSelf"
  | "info"
  | "generateToken"
  | "search"
  | "thumbnail"
  | "serverInfo"
  | "services"
  | "service"
  | "layer"
  | "query";

/** What goes wrong, and how often (`times`; for ever when it is left out). */
export type Fault = {
  times?: number;
} /** ArcGIS's error, but with a real HTTP status, as newer services and gateways answer. */ & (
  | { kind: "status"; status: number }
  /** A maintenance page; the status is 200 unless another is named. */
  | { kind: "html"; status?: number }
  /** Any body under any content type (default `application/json`). */
  | { kind: "body"; body: string; contentType?: string; status?: number }
  /** A redirect that a careful client does not follow (default 307: the form would be sent again). */
  | { kind: "redirect"; location: string; status?: 301 | 302 | 303 | 307 | 308 }
  /** The right answer, `ms` milliseconds late. */
  | { kind: "delay"; ms: number }
  /** No answer, ever. */
  | { kind: "hang" }
  /** Headers at once, then a blank now and then, for ever: no idle timeout notices it. */
  | { kind: "drip" }
  /** The connection is reset (TCP RST). */
  | { kind: "reset" }
  /** The person presses Cancel (authorize), or the portal says 403 (anywhere else). */
  | { kind: "deny" }
);

/** What a test lets go wrong at the portal. */
export interface Faults {
  set(endpoint: Endpoint, fault: Fault): void;
  /** Switches one fault off, or all of them. */
  clear(endpoint?: Endpoint): void;
  /** Gives the fault that the next request has to meet, and counts it. */
  take(endpoint: Endpoint): Fault | undefined;
}

/** Makes switches that are all off. */
export function faultSwitches(): Faults {
  const switched = new Map<Endpoint, Fault>();

  return {
    set(endpoint, fault) {
      switched.set(endpoint, { ...fault });
    },

    clear(endpoint) {
      if (endpoint) switched.delete(endpoint);
      else switched.clear();
    },

    take(endpoint) {
      const fault = switched.get(endpoint);
      if (fault?.times === undefined) return fault;
      fault.times -= 1;
      if (fault.times <= 0) switched.delete(endpoint);
      return fault;
    },
  };
}

const dripMs = 100;

/** Lets the fault happen; `proceed` goes on to the true answer. */
export function strike(fault: Fault, res: Response, proceed: () => void): void {
  switch (fault.kind) {
    case "status":
      res.status(fault.status).json(arcgisError(fault.status, "The sandbox was told to fail."));
      return;
    case "html":
      res.status(fault.status ?? 200).send("<!doctype html><title>Maintenance</title><h1>Back soon</h1>");
      return;
    case "body":
      // Not res.set: Express would add a charset.
      res.status(fault.status ?? 200).setHeader("Content-Type", fault.contentType ?? "application/json");
      res.end(fault.body);
      return;
    case "redirect":
      res
        .status(fault.status ?? 307)
        .set("Location", fault.location)
        .end();
      return;
    case "delay": {
      const timer = setTimeout(proceed, fault.ms);
      res.on("close", () => clearTimeout(timer));
      return;
    }
    case "hang":
      return;
    case "drip": {
      res.status(200).set("Content-Type", "application/json").write(" ");
      const timer = setInterval(() => res.write(" "), dripMs);
      res.on("close", () => clearInterval(timer));
      return;
    }
    case "reset":
      res.socket?.resetAndDestroy();
      return;
    case "deny":
      res.json(
        arcgisError(403, "You do not have permissions to access this resource or perform this operation."),
      );
  }
}

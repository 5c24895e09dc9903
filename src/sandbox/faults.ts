import type { RequestHandler, Response } from "express";
import { arcgisError, invalidRefreshToken, notPermitted } from "./arcgis-json.ts";
import { param, paramsOf } from "./request-params.ts";

/**
 * The endpoints that can fail, by the names of the ArcGIS REST API reference: those of OAuth, `community/self`,
 * `portals/self`, `sharing/rest/info` and others of the portal; then `rest/info`, the catalog, a feature service, a layer
 * and its query at the ArcGIS Server.
 */
export type FaultEndpoint =
  | ("authorize" | "token" | "revokeToken" | "self" | "portalSelf" | "info")
  | ("generateToken" | "search" | "thumbnail")
  | ("serverInfo" | "services" | "service" | "layer" | "query");

/** An endpoint; only the refresh at `oauth2/token`; or all endpoints. The most specific fault wins. */
export type FaultTarget = FaultEndpoint | "refresh" | "all";

/** What goes wrong, for the next `times` requests, or until it is cleared. */
export type Fault = { times?: number } & (
  | /** ArcGIS's error with a real HTTP status, as newer services and gateways send it. */
  { kind: "status"; status: number }
  /** An HTML page instead of JSON. Default status 200. */
  | { kind: "html"; status?: number }
  /** Any body under any content type. Default `application/json` and status 200. */
  | { kind: "body"; body: string; contentType?: string; status?: number }
  /** A redirect that a careful client does not follow. Default 307, which sends the form again. */
  | { kind: "redirect"; location: string; status?: 301 | 302 | 303 | 307 | 308 }
  /** The right response, `ms` milliseconds late. */
  | { kind: "delay"; ms: number }
  /** No response, ever. */
  | { kind: "hang" }
  /** Headers at once, then a space now and then, without an end. No idle timeout notices it. */
  | { kind: "drip" }
  /** The connection is reset (TCP RST). */
  | { kind: "reset" }
  /** ArcGIS says no. `authorize`: the user cancels. `refresh`: 498 "Invalid refresh_token". Elsewhere: 403. */
  | { kind: "deny" }
);

/** The faults of a running sandbox. */
export interface SandboxFaults {
  /** Replaces the fault that was set for this target. */
  set(target: FaultTarget, fault: Fault): void;
  /** Clears one fault, or all of them. */
  clear(target?: FaultTarget): void;
}

export function openFaults(initial: Partial<Record<FaultTarget, Fault>> = {}) {
  const faults = new Map(Object.entries(structuredClone(initial)));
  const controls: SandboxFaults = {
    set: (target, fault) => void faults.set(target, { ...fault }),
    clear: (target) => (target ? void faults.delete(target) : faults.clear()),
  };

  /** Names the endpoint in the log, and applies the fault that is set for it. */
  function at(endpoint: FaultEndpoint): RequestHandler {
    return (req, res, next) => {
      res.locals.request.endpoint = endpoint;
      const isRefresh = endpoint === "token" && param(paramsOf(req), "grant_type")?.endsWith("refresh_token");
      const targets: FaultTarget[] = [...(isRefresh ? ["refresh" as const] : []), endpoint, "all"];
      const target = targets.find((each) => faults.has(each));
      const fault = target && faults.get(target);
      if (!fault) return next();
      if (fault.times !== undefined && --fault.times <= 0) faults.delete(target);
      res.locals.deny = endpoint === "authorize" && fault.kind === "deny";
      if (res.locals.deny) next();
      else applyFault(target, fault, res, next);
    };
  }

  return { controls, at };
}

const dripMs = 100;

/** Applies the fault; `proceed` continues to the right response. */
function applyFault(target: FaultTarget, fault: Fault, res: Response, proceed: () => void): void {
  switch (fault.kind) {
    case "status":
      return void res.status(fault.status).json(arcgisError(fault.status, "The sandbox was told to fail."));
    case "html":
      return void res
        .status(fault.status ?? 200)
        .send("<!doctype html><title>Maintenance</title><h1>Back soon</h1>");
    case "body":
      // Not res.set: Express would add a charset.
      res.status(fault.status ?? 200).setHeader("Content-Type", fault.contentType ?? "application/json");
      return void res.end(fault.body);
    case "redirect":
      return void res
        .status(fault.status ?? 307)
        .set("Location", fault.location)
        .end();
    case "delay": {
      const timer = setTimeout(proceed, fault.ms);
      return void res.on("close", () => clearTimeout(timer));
    }
    case "hang":
      return;
    case "drip": {
      res.status(200).set("Content-Type", "application/json").write(" ");
      const timer = setInterval(() => res.write(" "), dripMs);
      return void res.on("close", () => clearInterval(timer));
    }
    case "reset":
      return void res.socket?.resetAndDestroy();
    case "deny":
      return void res.json(target === "refresh" ? invalidRefreshToken : notPermitted);
  }
}

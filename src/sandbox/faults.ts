import type { Response } from "express";
import { arcgisError, invalidRefreshToken, notPermitted } from "./arcgis-json.ts";

/** The endpoints that can fail, by the names of the ArcGIS REST API reference. */
export type FaultEndpoint =
  /** `oauth2/authorize` */
  | "authorize"
  /** `oauth2/token` */
  | "token"
  /** `oauth2/revokeToken` */
  | "revokeToken"
  /** `community/self` */
  | "self"
  /** `portals/self` */
  | "portalSelf"
  /** `sharing/rest/info` */
  | "info"
  | "generateToken"
  | "search"
  /** `content/items/{id}/info/thumbnail/{file}` */
  | "thumbnail"
  /** `rest/info` of the ArcGIS Server. */
  | "serverInfo"
  /** `rest/services` */
  | "services"
  /** `rest/services/{serviceName}/FeatureServer` */
  | "service"
  /** `rest/services/{serviceName}/FeatureServer/0` */
  | "layer"
  /** `rest/services/{serviceName}/FeatureServer/0/query` */
  | "query";

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

  /** The fault for a request, and the target that it was set for. Counts it. */
  function take(targets: FaultTarget[]): [FaultTarget, Fault] | undefined {
    const target = targets.find((each) => faults.has(each));
    const fault = target && faults.get(target);
    if (!fault) return undefined;
    if (fault.times !== undefined && --fault.times <= 0) faults.delete(target);
    return [target, fault];
  }

  return { controls, take };
}

const dripMs = 100;

/** Applies the fault; `proceed` continues to the right response. */
export function applyFault(target: FaultTarget, fault: Fault, res: Response, proceed: () => void): void {
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
      res.status(fault.status ?? 307).set("Location", fault.location);
      res.end();
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
      res.json(target === "refresh" ? invalidRefreshToken : notPermitted);
  }
}

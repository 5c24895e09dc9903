import type { DoctorOptions } from "#src/cli/doctor.ts";
import type { Sandbox } from "#src/sandbox/index.ts";

export interface Patient {
  sandbox: Sandbox;
  /** The settings, to be made worse. */
  settings: Record<string, unknown>;
  env: NodeJS.ProcessEnv;
  options: DoctorOptions;
  cwd: string;
}

export const generalHelp = `ArcGIS Sign-In: server-side OAuth 2.0 sign-in with ArcGIS Online and ArcGIS Enterprise.

  arcgis-sign-in COMMAND [OPTIONS]

  start     runs the server with your configuration
  demo      runs the server with a built-in sandbox portal; you don't need an ArcGIS account
  init      writes a configuration with random secrets
  doctor    checks the configuration, the portal and the session store
  sessions  lists and ends sessions

  arcgis-sign-in COMMAND --help  the options of a command
  arcgis-sign-in --version       the version

In a clone of the repository: npm start, npm run demo, npm run doctor -- --help, and so on.
`;

/** The help of each command. COMMAND is how the user runs it: `arcgis-sign-in start`, or `npm run start --`. */
export const commandHelp: Record<string, string> = {
  start: `Runs the server with your configuration.

  COMMAND [--config FILE]

  --config  the configuration file (CONFIG_FILE, or config.json)

SIGTERM stops it. Exit code 78: the configuration is wrong, or the port is taken.
`,

  demo: `Runs the server with a sandbox portal, both on this machine. You don't need an ArcGIS account.

  COMMAND [--organization] [--port PORT] [--sandbox-port PORT] [--provider-port PORT]

  --organization   users sign in at an identity provider of their organization
  --port           port of the server             (PORT, or 3000)
  --sandbox-port   port of the sandbox portal     (SANDBOX_PORT, or 3001)
  --provider-port  port of the identity provider  (PROVIDER_PORT, or 3002)

Secrets and sessions are in .demo and sessions, for the next run.
`,

  init: `Writes a configuration with random secrets into a file that only you can open.
It never changes an existing file.

  COMMAND [--client-id ID] [--portal URL] [--redirect-uri URL] [--config FILE]

  --client-id     client ID of your OAuth credentials item
  --portal        URL of your portal                    (https://www.arcgis.com)
  --redirect-uri  where the portal sends browsers back  (http://localhost:3000/authenticate)
  --config        the file to write                     (config.json)

In a terminal it asks for the values that you don't give.
`,

  doctor: `Checks whether the server can work: its configuration, the portal, the session store.
It changes nothing. Run it as the server's user.

  COMMAND [--config FILE] [--json]

  --config  the configuration file (CONFIG_FILE, or config.json)
  --json    output for programs

Exit code: 0 no problem, though there may be warnings; 1 there is a problem.
`,

  sessions: `Lists and ends the sessions of the server, in files or in Redis, while it runs.
Run it with the server's configuration, as the server's user.

  COMMAND SUBCOMMAND [OPTIONS]

  list           users who are signed in
  show USER      the sessions of a user
  revoke USER    ends the sessions of a user and revokes the tokens at the portal
  revoke --all   the same for all users
  stats          the number of sessions, by kind
  rekey          encrypts all sessions with the newest ENCRYPTION_KEY, so that you can remove the older ones

  --portal ID    only sessions of one of several portals (list, show, revoke)
  --config FILE  the configuration file (CONFIG_FILE, or config.json)
  --json         output for programs

Exit code: 0 done, 1 the user has no session, 64 wrong usage, 69 the session store cannot be reached,
75 done, but tokens still have to be revoked, 78 the configuration is wrong.
`,
};

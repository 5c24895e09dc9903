// With DEBUG=* express-session prints session ids and cookies. This file is imported before anything that
// could read the variable; imports run in the order in which they are written.
delete process.env.DEBUG;

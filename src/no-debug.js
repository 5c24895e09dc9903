// With DEBUG=* express-session prints session ids and cookies. This file is imported before anything that
// could read the variable; imports run in the order in which they are written.
delete process.env.DEBUG;
export {};
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoibm8tZGVidWcuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJuby1kZWJ1Zy50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFBQSwwR0FBMEc7QUFDMUcsK0VBQStFO0FBQy9FLE9BQU8sT0FBTyxDQUFDLEdBQUcsQ0FBQyxLQUFLLENBQUMifQ==
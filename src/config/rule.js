/** A rule after which no other rule needs to look: one wrong value gets one sentence. */
export const stop = (error) => ({ abort: true, error });
/** Two sentences for a value of the wrong type: one for when there is none at all. */
export const missingOr = (missing, error) => ({
    error: (issue) => (issue.input === undefined ? missing : error),
});
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicnVsZS5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbInJ1bGUudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEseUZBQXlGO0FBQ3pGLE1BQU0sQ0FBQyxNQUFNLElBQUksR0FBRyxDQUFDLEtBQWEsRUFBRSxFQUFFLENBQUMsQ0FBQyxFQUFFLEtBQUssRUFBRSxJQUFJLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQztBQUVoRSxzRkFBc0Y7QUFDdEYsTUFBTSxDQUFDLE1BQU0sU0FBUyxHQUFHLENBQUMsT0FBMkIsRUFBRSxLQUFhLEVBQUUsRUFBRSxDQUFDLENBQUM7SUFDeEUsS0FBSyxFQUFFLENBQUMsS0FBMEIsRUFBRSxFQUFFLENBQUMsQ0FBQyxLQUFLLENBQUMsS0FBSyxLQUFLLFNBQVMsQ0FBQyxDQUFDLENBQUMsT0FBTyxDQUFDLENBQUMsQ0FBQyxLQUFLLENBQUM7Q0FDckYsQ0FBQyxDQUFDIn0=
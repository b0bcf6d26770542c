// Threads, seed and arithmetic of torch are process-wide, so the tests run one after another.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

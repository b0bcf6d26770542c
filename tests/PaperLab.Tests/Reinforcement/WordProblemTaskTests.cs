using System.Text;
using PaperLab.Reinforcement;
using PaperLab.Text;

namespace PaperLab.Tests.Reinforcement;

public sealed class WordProblemTaskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("#### 42", "42")]
    [InlineData("####42", "42")]
    [InlineData("#### 1,234,567", "1234567")]
    [InlineData("#### $1,234.50", "2469/2")]
    [InlineData("#### -7", "-7")]
    [InlineData("#### -$0.5", "-1/2")]
    [InlineData("#### 0", "0")]
    [InlineData("a #### b #### 3 ", "3")]
    public void The_number_after_the_marker_is_the_answer(string ending, string value)
    {
        NumberProblem problem = Read(Line("How many?", $"Some steps.\n{ending}"), heldOutShare: 0).All(Split.Train).Single();

        Assert.Equal(value, problem.Answer.ToString());
    }

    [Fact]
    public void A_question_becomes_a_prompt_and_its_solution_a_demonstration()
    {
        WordProblemTask task = Read(Line("Ann has 6 bags of 7 nuts. How many nuts?", "6 bags of 7 are <<6*7=42>>42 nuts.\\n#### 42"), heldOutShare: 0);
        Demonstration demonstration = task.Demonstrate(1, 1);

        Assert.EndsWith("\nUser: Ann has 6 bags of 7 nuts. How many nuts?\nAssistant: ", demonstration.Problem.Prompt);
        Assert.Equal("<think>6 bags of 7 are 42 nuts.</think><answer>42</answer>", demonstration.Completion);
        Assert.Equal(2, CombinedReward.R1Zero().Judge([new Sample(0, demonstration.Problem, new Completion(demonstration.Completion, 20, false))]).MeanReward);
        Assert.Equal("file.jsonl", task.Name);
    }

    [Fact]
    public void Empty_lines_a_byte_order_mark_and_windows_line_ends_are_passed_over()
    {
        WordProblemTask task = Read($"\ufeff\r\n{Line("a", "#### 1")}\r\n\n{Line("b", "#### 2")}\r\n", heldOutShare: 0);

        Assert.Equal(["1", "2"], task.All(Split.Train).Select(problem => problem.Answer.ToString()));
    }

    [Fact]
    public void Sides_share_no_question_and_draws_keep_to_them()
    {
        WordProblemTask task = Read(string.Join('\n', Enumerable.Range(0, 400).Select(i => Line($"Question {i % 200}?", $"#### {i % 200}"))), heldOutShare: 0.25);
        string[] train = [.. task.All(Split.Train).Select(problem => problem.Prompt)];
        string[] heldOut = [.. task.All(Split.HeldOut).Select(problem => problem.Prompt)];

        Assert.Equal(400, train.Length + heldOut.Length);
        Assert.InRange(heldOut.Length, 60, 140);
        Assert.Empty(train.Intersect(heldOut));
        Assert.All(Enumerable.Range(0, 100), seed => Assert.Contains(task.Draw(Split.HeldOut, 1, (ulong)seed).Prompt, heldOut));
        Assert.All(Enumerable.Range(0, 100), seed => Assert.Contains(task.Demonstrate(1, (ulong)seed).Problem.Prompt, train));
        Assert.Equal(task.Draw(Split.Train, 1, 7), task.Draw(Split.Train, 1, 7));
    }

    [Fact]
    public void A_side_without_questions_says_so()
    {
        WordProblemTask task = Read(Line("a", "#### 1"), heldOutShare: 0);

        Assert.Contains("the number of HeldOut problems of ", Assert.Throws<ArgumentException>(() => task.Draw(Split.HeldOut, 1, 1)).Message);
        Assert.Contains("is 0; allowed: 1 or more; take another share to hold out, or a longer file", Assert.Throws<ArgumentException>(() => task.Draw(Split.HeldOut, 1, 1)).Message);
        Assert.Contains("heldOutShare is 2; allowed: 0 to 1", Assert.Throws<ArgumentException>(() => Read("", 2)).Message);
    }

    [Theory]
    [InlineData("{\"question\": \"a\"", "line 2 is no JSON object: ")]
    [InlineData("[1]", "line 2 is no JSON object. Found [1]; expected {\"question\": \"…\", \"answer\": \"… #### 42\"}.")]
    [InlineData("{\"Question\": \"a\", \"answer\": \"#### 1\"}", "line 2: the field 'question' is missing. Found Question, answer; expected {\"question\"")]
    [InlineData("{}", "line 2: the field 'question' is missing. Found no field; expected")]
    [InlineData("{\"question\": \"a\"}", "line 2: the field 'answer' is missing. Found question; expected")]
    [InlineData("{\"question\": 7, \"answer\": \"#### 1\"}", "line 2: the field 'question' is 7; expected a text that is not empty.")]
    [InlineData("{\"question\": \" \", \"answer\": \"#### 1\"}", "line 2: the field 'question' is \" \"; expected a text that is not empty.")]
    [InlineData("{\"question\": \"a\", \"answer\": null}", "line 2: the field 'answer' is null; expected a text that is not empty.")]
    [InlineData("{\"question\": \"a\", \"answer\": \"It is 42.\"}", "line 2: the field 'answer' ends in It is 42.; expected '####' and a number, such as #### 1,234 or #### -2.50.")]
    [InlineData("{\"question\": \"a\", \"answer\": \"#### many\"}", "line 2: the field 'answer' ends in #### many; expected '####' and a number")]
    [InlineData("{\"question\": \"a\", \"answer\": \"####\"}", "line 2: the field 'answer' ends in ####; expected")]
    [InlineData("{\"question\": \"a\", \"answer\": \"#### 1,23\"}", "line 2: the field 'answer' ends in #### 1,23; expected")]
    [InlineData("{\"question\": \"a\", \"question\": \"b\", \"answer\": \"#### 1\"}", "line 2 is no JSON object: ")]
    public void A_bad_line_is_named_with_what_is_wrong(string line, string message)
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Read($"{Line("a", "#### 1")}\n{line}\n"));

        Assert.StartsWith(_folder.File("file.jsonl"), error.Message);
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void A_long_answer_without_marker_is_shown_by_its_end()
    {
        string message = Assert.Throws<InvalidDataException>(() => Read(Line("a", new string('x', 5000) + " and so 42"))).Message;

        Assert.Contains("xxx and so 42; expected", message);
        Assert.InRange(message.Length, 100, 400);
    }

    [Fact]
    public void A_file_that_is_not_there_is_empty_or_is_not_text_says_so()
    {
        Assert.Contains("does not exist. Give a file of lines {\"question\"", Assert.Throws<FileNotFoundException>(() => WordProblemTask.Read(_folder.File("none"))).Message);
        Assert.Contains("holds no problem; expected lines {\"question\"", Assert.Throws<InvalidDataException>(() => Read("\n\n")).Message);
        File.WriteAllBytes(_folder.File("file.jsonl"), [.. Encoding.UTF8.GetBytes(Line("a", "#### 1") + "\n"), 0x22, 0xFF, 0x22]);
        Assert.Contains("line 2 is not UTF-8", Assert.Throws<InvalidDataException>(() => WordProblemTask.Read(_folder.File("file.jsonl"))).Message);
    }

    private static string Line(string question, string answer) => $"{{\"question\": \"{question}\", \"answer\": \"{answer.Replace("\n", "\\n")}\"}}";

    private WordProblemTask Read(string content, double heldOutShare = 0.1)
    {
        File.WriteAllText(_folder.File("file.jsonl"), content, new UTF8Encoding(false));
        return WordProblemTask.Read(_folder.File("file.jsonl"), heldOutShare);
    }
}

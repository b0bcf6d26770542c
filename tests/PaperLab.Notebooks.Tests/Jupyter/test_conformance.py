"""Jupyter's own conformance tests, run against the C# kernel.

    apt-get install python3-jupyter-kernel-test        # Debian; or, for another python3: pip install jupyter_kernel_test
    lib/out/paperlab kernel install
    /usr/bin/python3 tests/PaperLab.Notebooks.Tests/Jupyter/test_conformance.py -v

`dotnet test` does not need Python and does not run this: KernelTests.cs beside it holds what these tests do not look at. The one
test that is skipped is that of the pager, whose payloads the protocol has deprecated.
"""

import unittest

import jupyter_kernel_test


class CSharpKernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = "paperlab-csharp"
    language_name = "C#"
    file_extension = ".cs"

    code_hello_world = 'Console.WriteLine("hello, world");'
    code_stderr = 'Console.Error.WriteLine("trouble");'
    code_generate_error = 'throw new InvalidOperationException("on purpose");'
    code_clear_output = "ClearOutput();"
    code_inspect_sample = "Console.WriteLine"
    code_execute_result = [
        {"code": "1 + 2 + 3", "result": "6"},
        {"code": "Enumerable.Range(1, 4).Sum()", "result": "10"},
        {"code": '"a" + "b"', "result": "ab"},
        {"code": 'HTML("<b>bold</b>")', "result": "<b>bold</b>", "mime": "text/html"},
    ]
    code_display_data = [
        {"code": 'display(HTML("<i>x</i>"));', "mime": "text/html"},
        {"code": '"**strong**".DisplayAs("text/markdown");', "mime": "text/markdown"},
        {"code": '"iVBORw0KGgo=".DisplayAs("image/png");', "mime": "image/png"},
        {"code": '"{\\"a\\": 1}".DisplayAs("application/json");', "mime": "application/json"},
    ]
    completion_samples = [
        {"text": "Console.WriteL", "matches": {"WriteLine"}},
        {"text": "Console.wl", "matches": {"WriteLine", "WindowLeft"}},
        {"text": "Math.Sq", "matches": {"Sqrt"}},
        {"text": "new Dictio", "matches": {"Dictionary", "DictionaryBase", "DictionaryEntry"}},
        {"text": "#!who", "matches": {"#!who", "#!whos"}},
    ]
    complete_code_samples = ["1 + 1", "var x = 5;", "if (true) { }", "int Twice(int n) => 2 * n;", "#!who", "notDeclaredAnywhere"]
    incomplete_code_samples = ["foreach (var x in xs) {", "Console.WriteLine(", "var text = @\"open", "class C", "/* open"]
    invalid_code_samples = ["var = 5 x;", "class 5 { }", "return return;", "foo(1 2);"]

    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "1 ? 2*"


if __name__ == "__main__":
    unittest.main()

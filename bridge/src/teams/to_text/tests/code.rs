use super::*;

#[test]
fn code_in_a_line_stands_between_backticks() {
    expect("run <code>ls  -l</code>.", "run `ls -l`.");
    expect("run<code> ls&nbsp;&nbsp;-l </code>now", "run `ls  -l` now");
    expect("<code>a`b``c</code>", "```a`b``c```");
    expect("<code>`x`</code>", "`` `x` ``");
    expect("a<code></code><code> </code>b", "a b");
    expect("<code>one<br>two<p>three", "`one`\n`two`\n`three`");
    expect("<code>a <code>b</code> c</code> d", "`a b c` d");
    expect(
        "<a href=\"https://x.example/\"><code>x.example</code></a> <code>a <a href=\"https://x.example/\">b</a> c</code>",
        "`x.example` `a` `b` (https://x.example/) `c`",
    );
    expect(
        "<s><code>a</code></s> <code><s>b</s></code>",
        "~~`a`~~ ~~`b`~~",
    );
    expect("<ul><li><code>a</code></li></ul>", "- `a`");
}

#[test]
fn preformatted_text_stands_between_fences() {
    expect(
        "<pre>\nfn x() {\n    y();\n\n\n}\n</pre>done",
        "```\nfn x() {\n    y();\n\n\n}\n```\ndone",
    );
    expect(
        "see<codeblock class=\"Rust\"><code>let x;<br>&nbsp;&nbsp;x = 1;<br><br>\ty</code></codeblock>done",
        "see\n```Rust\nlet x;\n  x = 1;\n\n\ty\n```\ndone",
    );
    expect("a<pre> \n</pre>b", "a\nb");
    expect("<pre>a<p>b</p>c<div>d</div></pre>", "```\na\nb\nc\nd\n```");
    expect(
        "<pre>a\r\nb\u{2028}c\u{85}d\u{b}e\u{200b}</pre>",
        "```\na\nb\nc\nd e\n```",
    );
}

#[test]
fn the_language_is_a_short_word() {
    for (class, language) in [
        ("Python", "Python"),
        ("C++", "C++"),
        ("C#", "C#"),
        ("objective-c", "objective-c"),
        ("plaintext", ""),
        ("PlainText", ""),
        ("", ""),
        (" Go x", "Go"),
        ("a`\u{2028}<b>", "ab"),
    ] {
        let class_attribute = class.replace('<', "&lt;");
        expect(
            &format!("<codeblock class=\"{class_attribute}\"><code>x</code></codeblock>"),
            &format!("```{language}\nx\n```"),
        );
    }
    expect(
        &format!("<codeblock class={}>x", "y".repeat(1000)),
        &format!("```{}\nx\n```", "y".repeat(32)),
    );
    expect(
        "<pre class=\"MsoNormal\"><code class=\"hljs language-sql\">x</code></pre>",
        "```sql\nx\n```",
    );
}

#[test]
fn a_fence_is_longer_than_what_it_holds() {
    expect("<pre>```\nx\n````</pre>", "`````\n```\nx\n````\n`````");
}

#[test]
fn code_keeps_its_place_in_quotes_and_lists() {
    expect(
        "<blockquote>a<pre>x\n\n> y</pre>b</blockquote>c",
        "> a\n> ```\n> x\n>\n> > y\n> ```\n> b\nc",
    );
    expect(
        "<ol><li>a<pre>x\n y</pre></li><li><pre>z</pre></li></ol>",
        "1. a\n  ```\n  x\n   y\n  ```\n2. ```\n  z\n  ```",
    );
}

#[test]
fn code_ends_with_what_is_around_it() {
    expect("<blockquote><pre>x</blockquote>y", "> ```\n> x\n> ```\ny");
    expect("<pre><div>x</div>y</pre>z", "```\nx\ny\n```\nz");
    expect("<ul><li><pre>x</li><li>y</ul>", "- ```\n  x\n  ```\n- y");
    expect(
        "<table><tr><td><pre>x</td></tr><tr><td>y</table>z",
        "```\nx\n```\ny\nz",
    );
    expect("<pre>never closed", "```\nnever closed\n```");
    expect(
        "<a href=\"https://x.example\"><pre>x</pre></a>y",
        "https://x.example\n```\nx\n```\ny",
    );
    expect(
        "<pre><a href=\"https://x.example\">x</pre>y</a>",
        "```\nx (https://x.example)\n```\ny",
    );
}

//! Samples of IIS' files: see `configuration/samples.rs`.

use super::Sample;

pub(crate) const SECRETS: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <appSettings>
    <add key="ApiKey" value="Q4nary" />
  </appSettings>
  <connectionStrings>
    <add name="db" connectionString="Server=x;Password=Q4nary" />
  </connectionStrings>
  <system.web>
    <machineKey validationKey="Q4nary" decryptionKey="Q4nary" />
  </system.web>
  <system.applicationHost>
    <processModel identityType="SpecificUser" userName="kim" password="Q4nary" />
  </system.applicationHost>
  <system.webServer>
    <proxy enabled="true" />
  </system.webServer>
</configuration>
"#;

/// A file with these lines, of which the first is line 4.
fn file(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n  <system.webServer>\n{inner}\n  </system.webServer>\n</configuration>\n"
    )
}

const PROXY: &str = "<proxy enabled=\"true\" preserveHostHeader=\"true\" timeout=\"01:00:00\" />";

/// The same with a rule, whose lines begin at 6.
fn rule(inner: &str) -> String {
    file(&format!("{PROXY}\n<rewrite><rules>\n{inner}\n</rules></rewrite>"))
}

pub(crate) fn all() -> Vec<Sample> {
    let to = |pattern: &str, action: &str| {
        rule(&format!(
            "<rule name=\"own\" stopProcessing=\"true\">\n<match url=\"{pattern}\" />\n<action {action} />\n</rule>"
        ))
    };
    let on = "type=\"Rewrite\" url=\"http://localhost:3001/{R:0}\"";
    vec![
        ("all is well", file(PROXY), vec![]),
        (
            "the role is off",
            file(&format!("{PROXY}\n<webSocket enabled=\"false\" />")),
            vec!["headers @5"],
        ),
        ("a minute", file(&PROXY.replace("01:00:00", "00:01:00")), vec!["timeout 60 @4"]),
        (
            "the default time",
            file("<proxy enabled=\"true\" preserveHostHeader=\"true\" />"),
            vec!["timeout 120 @4 if seen"],
        ),
        ("the proxy is off", file("<proxy enabled=\"false\" />"), vec!["path Some(404) @4"]),
        ("HTTP/1.0", file(&PROXY.replace(" />", " httpVersion=\"Http10\" />")), vec!["version @4"]),
        ("sent on", to("^v1/.*", on), vec![]),
        (
            "the path is cut",
            to("^v1/(.*)", "type=\"Rewrite\" url=\"http://localhost:3001/{R:1}\""),
            vec!["moved @8"],
        ),
        ("another path's rule", to("^app/", "type=\"CustomResponse\" statusCode=\"404\""), vec![]),
        (
            "an answer",
            to("^V1/", "type=\"CustomResponse\" statusCode=\"404\""),
            vec!["path Some(404) @8"],
        ),
        (
            "sent elsewhere",
            to(".*", "type=\"Redirect\" url=\"https://c.example/{R:0}\" redirectType=\"Found\""),
            vec!["path Some(302) @8"],
        ),
        (
            "what decides",
            rule(
                "<rule name=\"own\">\n<match url=\".*\" />\n<conditions><add input=\"{HTTPS}\" pattern=\"off\" /></conditions>\n<action type=\"Redirect\" url=\"https://{HTTP_HOST}/{R:0}\" />\n</rule>",
            ),
            vec!["untold @8"],
        ),
    ]
}

//! A desktop's proxy settings as a scenario has them: GNOME's, and the PAC file
//! that they name, served on loopback and run by the program itself.

use super::config::Run;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wss_bundle::Target;
use wss_collector::config::Config;
use wss_collector::proxy::pac::Answers;
use wss_collector::proxy::pac::load::Loader;
use wss_collector::proxy::source::{Sources, gnome};
use wss_collector::proxy::{Found, Question, Variables, find};

/// What names proxies on a scenario's machine.
pub(super) struct Settings {
    variables: Variables,
    sources: Sources,
    file: Option<File>,
}

impl Settings {
    /// The run's, with addresses in the place of what stands for them.
    pub(super) async fn start(
        wanted: &Run,
        env: Vec<(String, String)>,
        place: impl Fn(&String) -> String,
    ) -> Result<Self, String> {
        let mut lines: Vec<String> = wanted.gnome.iter().map(&place).collect();
        let file = match &wanted.pac {
            Some(script) => Some(File::serve(place(script)).await?),
            None => None,
        };
        if let Some(file) = &file {
            lines.push(" mode 'auto'".into());
            lines.push(format!(" autoconfig-url '{}'", file.url));
        }
        let desktop = (!lines.is_empty()).then(|| ("XDG_CURRENT_DESKTOP".into(), "GNOME".into()));
        let text: String =
            lines.iter().map(|line| format!("org.gnome.system.proxy{line}\n")).collect();
        let list: Vec<_> = gnome::parse(&text).into_iter().collect();
        if list.is_empty() != lines.is_empty() {
            return Err(format!("these are no settings of GNOME: {text}"));
        }
        let variables = Variables::new(env.into_iter().chain(desktop));
        Ok(Self { variables, sources: Sources { list, ..Sources::default() }, file })
    }

    /// The routes; before the PAC file is asked, and after.
    pub(super) fn find(&self, target: &Target, answers: &Answers) -> Result<Found, String> {
        find(&Question {
            target,
            option: None,
            noproxy: None,
            variables: &self.variables,
            sources: &self.sources,
            answers,
        })
    }

    /// The routes as the PAC file has them; it must be there, and be asked.
    pub(super) async fn settled(&self, found: Found, config: &Config) -> Result<Found, String> {
        let Some(file) = &self.file else { return Ok(found) };
        let (_never, cancel) = watch::channel(false);
        let program = Some(super::program::program("wss-collector")?);
        let target = &config.target;
        let answers = Loader { target, config, program, cancel }.answers(&found.files).await;
        match answers.values().find_map(|answer| answer.as_ref().err()) {
            Some(why) => Err(format!("{}: {why}", file.url)),
            None if answers.is_empty() => Err("nobody asks the PAC file".into()),
            None => self.find(target, &answers),
        }
    }
}

/// A PAC file on loopback, as long as this lives.
struct File {
    url: String,
    serving: JoinHandle<()>,
}

impl File {
    async fn serve(script: String) -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(text)?;
        let url = format!("http://{}/proxy.pac", listener.local_addr().map_err(text)?);
        let answer: Arc<str> = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-ns-proxy-autoconfig\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{script}",
            script.len()
        )
        .into();
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Ok(Self { url, serving })
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

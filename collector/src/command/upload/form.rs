//! What is put into the request: the bundle as it is, or a form with the bundle
//! as one of its fields (RFC 7578).

use crate::cli::UploadArgs;
use std::path::Path;
use wss_bundle::Secret;

/// How the bundle travels.
pub(super) enum Form {
    /// As the body of a PUT.
    Put,
    /// As a field of a form, after other fields.
    Post {
        /// The field's name.
        file: String,
        /// Name and value of the others.
        fields: Vec<(String, Secret)>,
    },
}

impl Form {
    /// Understands `--form` and `--field`.
    pub(super) fn new(args: &UploadArgs) -> Result<Self, String> {
        let Some(file) = &args.form else {
            return match args.fields.is_empty() {
                true => Ok(Self::Put),
                false => Err("--field goes with --form, which names the bundle's own field".into()),
            };
        };
        let plain = |name: &str| {
            !name.is_empty()
                && name.len() <= 200
                && !name.chars().any(|c| c.is_control() || c == '"')
        };
        if !plain(file) {
            return Err("--form: expected the name of a field, such as file".to_owned());
        }
        let fields = args
            .fields
            .iter()
            .map(|field| {
                // What it says may be a secret: not shown.
                let (name, value) = field.split_once('=').ok_or("--field: expected NAME=VALUE")?;
                if !plain(name) {
                    return Err(
                        "--field: the name is empty, or has characters that it may not have",
                    );
                }
                Ok((name.to_owned(), Secret::new(value)))
            })
            .collect::<Result<_, &str>>()?;
        Ok(Self::Post { file: file.clone(), fields })
    }

    /// The request's method.
    pub(super) fn method(&self) -> &'static str {
        match self {
            Self::Put => "PUT",
            Self::Post { .. } => "POST",
        }
    }

    /// Values of fields: policies, signatures.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Put => Vec::new(),
            Self::Post { fields, .. } => fields.iter().map(|(_, value)| value.clone()).collect(),
        }
    }

    /// Content type and body.
    pub(super) fn body(&self, path: &Path, content: &[u8]) -> (String, Vec<u8>) {
        let kind =
            if content.starts_with(b"PK") { "application/zip" } else { "application/octet-stream" };
        let Self::Post { file, fields } = self else { return (kind.to_owned(), content.to_vec()) };
        let boundary = format!("wss-{}", uuid::Uuid::new_v4().simple());
        let mut body = Vec::with_capacity(content.len() + 1024);
        for (name, value) in fields {
            let part = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{}\r\n",
                value.expose()
            );
            body.extend_from_slice(part.as_bytes());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name: String =
            name.chars().map(|c| if c.is_control() || c == '"' { '_' } else { c }).collect();
        // The file comes last: S3 passes over what stands behind it.
        let part = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{file}\"; \
             filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n"
        );
        body.extend_from_slice(part.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body)
    }
}

//! Which files are the kubeconfig, what is in them, and the context, cluster and user that are chosen of them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::super::ClusterOptions;
use super::{one_line, unusable};
use crate::ingest::yaml;
use crate::source::{FailureKind, SourceError, regular};

/// No kubeconfig is longer, nor a certificate or a token that it names.
const LONGEST: u64 = 16 << 20;

/// One file. Only what is chosen of it is understood further: what is wrong with another user is no reason to reject this one.
pub(super) struct File {
    path: PathBuf,
    documents: Vec<Map<String, Value>>,
}

impl File {
    /// The entries of a list that have a name, with it.
    fn entries<'f>(&'f self, list: &'f str) -> impl Iterator<Item = (&'f str, &'f Value)> {
        let lists = self.documents.iter().filter_map(move |document| document.get(list)?.as_array());
        lists.flatten().filter_map(|entry| Some((entry.get("name")?.as_str()?, entry)))
    }

    /// The first entry of this name: `what` is its kind, the list is named after it.
    fn find(&self, what: &'static str, name: &str) -> Option<Named> {
        let list = format!("{what}s");
        let (_, entry) = self.entries(&list).find(|(known, _)| *known == name)?;
        Some(Named::new(self, what, name, entry.get(what)))
    }

    fn current(&self) -> Option<&str> {
        self.documents.iter().filter_map(|document| document.get("current-context")?.as_str()).find(|name| !name.is_empty())
    }
}

/// A context, a cluster or a user, with the file that it is in: what is wrong with it is said with its place.
pub(super) struct Named {
    file: PathBuf,
    what: &'static str,
    pub(super) name: String,
    /// Its fields, without those that are empty: client-go takes these for unset.
    pub(super) fields: Map<String, Value>,
}

/// What is chosen of all files.
pub(super) struct Chosen {
    pub(super) context: Named,
    pub(super) cluster: Named,
    /// None where the context names none: kubectl sends no credentials then.
    pub(super) user: Option<Named>,
}

impl Named {
    fn new(file: &File, what: &'static str, name: &str, of: Option<&Value>) -> Self {
        let mut fields = of.and_then(Value::as_object).cloned().unwrap_or_default();
        fields.values_mut().for_each(without_nulls);
        fields.retain(|_, value| !value.is_null() && value != "");
        Self { file: file.path.clone(), what, name: name.to_owned(), fields }
    }

    /// A field that is set.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The text that a field holds, which nothing else may be.
    pub(super) fn reference(&self, field: &str) -> Result<Option<&str>, SourceError> {
        match self.fields.get(field) {
            None => Ok(None),
            Some(Value::String(name)) => Ok(Some(name)),
            Some(_) => Err(self.wrong(field, "is no text; put it in quotes")),
        }
    }

    /// `proxy-url of cluster lab in /home/jane/.kube/config`.
    pub(super) fn place(&self, field: &str) -> String {
        format!("{field} of {} {} in {}", self.what, one_line(&self.name), self.file.display())
    }

    /// What is wrong with a field.
    pub(super) fn wrong(&self, field: &str, why: impl std::fmt::Display) -> SourceError {
        let what = format!("{} {why}", self.place(field));
        SourceError::new(FailureKind::BadInput, what, "mend the file, or choose another --context or --kubeconfig")
    }

    /// What the client cannot use of a field, be it a file or in the kubeconfig.
    pub(super) fn unusable(&self, field: &str, why: &str) -> SourceError {
        let data = format!("{field}-data");
        self.wrong(if self.has(&data) { &data } else { field }, format_args!("cannot be used: {why}"))
    }

    /// Makes the path of a file absolute and sees whether the file is there: an error that comes later names no field.
    pub(super) fn find_file(&mut self, field: &str) -> Result<Option<PathBuf>, SourceError> {
        let Some(path) = self.text(field) else { return Ok(None) };
        let path = self.relative_to_file(path);
        regular::open(&path).map_err(|error| {
            self.wrong(field, format_args!("names the file {}, which cannot be read: {}", path.display(), reason(&error)))
        })?;
        self.fields.insert(field.to_owned(), Value::from(path.to_string_lossy().into_owned()));
        Ok(Some(path))
    }

    /// A path of the kubeconfig is relative to its folder.
    pub(super) fn relative_to_file(&self, path: &str) -> PathBuf {
        self.file.parent().map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
    }
}

/// The files that exist, in order of preference; none means that the pod's own service account is to be used.
pub(super) fn find(options: &ClusterOptions) -> Result<Vec<PathBuf>, SourceError> {
    let named = match &options.kubeconfig {
        Some(path) => {
            if !path.exists() {
                let what = format!("there is no kubeconfig {}", path.display());
                return Err(SourceError::new(FailureKind::Missing, what, "name an existing file with --kubeconfig"));
            }
            return Ok(vec![path.clone()]);
        }
        None => std::env::var_os("KUBECONFIG").map(|list| std::env::split_paths(&list).collect::<Vec<_>>()).unwrap_or_default(),
    };
    let named: Vec<_> = named.into_iter().filter(|path| !path.as_os_str().is_empty()).collect();
    let candidates =
        if named.is_empty() { std::env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect() } else { named };
    // As kubectl does: a file of the list that does not exist is passed over.
    let found: Vec<_> = candidates.iter().filter(|path| path.exists()).cloned().collect();
    if found.is_empty() && std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        let looked = candidates.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        let what = format!(
            "there is no kubeconfig ({} not there)",
            if looked.is_empty() { "no home directory, and $KUBECONFIG is" } else { &looked }
        );
        return Err(SourceError::new(FailureKind::Missing, what, "name one with --kubeconfig or $KUBECONFIG"));
    }
    Ok(found)
}

/// Reads one file.
pub(super) fn read(path: &Path) -> Result<File, SourceError> {
    let place = path.display().to_string();
    let text = text_of(path).map_err(|why| unusable(&place, &why))?;
    // Of the parser's text only the first line is kept: the lines after it quote the file, and that may hold a token.
    let documents = yaml::documents(&text).map_err(|why| unusable(&place, &why.to_string()))?;
    let mut found = Vec::new();
    for document in documents {
        match document {
            Value::Null => {}
            Value::Object(fields) => {
                let is_list = |list: &&str| fields.get(*list).is_none_or(|entries| entries.is_null() || entries.is_array());
                if let Some(other) = ["contexts", "clusters", "users"].iter().find(|list| !is_list(list)) {
                    return Err(unusable(&place, &format!("{other} is no list")));
                }
                if let Some(why) = of_another_kind(&fields).or_else(|| named_twice(&fields)) {
                    return Err(unusable(&place, &why));
                }
                found.push(fields);
            }
            _ => return Err(unusable(&place, "it holds no object of kind Config")),
        }
    }
    Ok(File { path: path.to_owned(), documents: found })
}

/// What it is that is no Config. Both names may be left out (client-go `tools/clientcmd/loader.go: Load`).
fn of_another_kind(fields: &Map<String, Value>) -> Option<String> {
    [("apiVersion", "v1"), ("kind", "Config")].into_iter().find_map(|(field, expected)| {
        let value = fields.get(field).filter(|value| !value.is_null() && *value != "" && *value != expected)?;
        let found = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(format!("its {field} is {}, and that of a kubeconfig is {expected}", one_line(&found)))
    })
}

/// The name that a list has twice (client-go `tools/clientcmd/api/v1/conversion.go`).
fn named_twice(fields: &Map<String, Value>) -> Option<String> {
    ["contexts", "clusters", "users"].into_iter().find_map(|list| {
        let entries = fields.get(list).and_then(Value::as_array).into_iter().flatten();
        let mut seen = HashSet::new();
        let twice = entries.filter_map(|entry| entry.get("name")?.as_str()).find(|name| !seen.insert(*name))?;
        Some(format!("{list} has the name {} twice", one_line(twice)))
    })
}

/// client-go takes a null for unset, at any depth.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// The text of a short file.
pub(super) fn text_of(path: &Path) -> Result<String, String> {
    let bytes = regular::read(path, LONGEST).map_err(|error| reason(&error))?;
    let wide = |of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]])).collect();
        let text = String::from_utf16(&units).ok().filter(|text| !text.is_empty() || bytes.len() == 2);
        text.ok_or_else(|| "it is no text".to_owned())
    };
    match bytes.as_slice() {
        [0xFF, 0xFE, ..] => wide(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => wide(u16::from_be_bytes),
        _ => {
            let text = String::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
            Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        }
    }
}

/// What the operating system says, in kubectl's short words.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => one_line(&error.to_string()),
    }
}

/// Chooses the context, and with it the cluster and the user. Of files that name the same thing the first counts.
pub(super) fn choose(files: &[File], wanted: Option<&str>) -> Result<Chosen, SourceError> {
    let shown = files.iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>().join(", ");
    let mut names: Vec<_> = files.iter().flat_map(|file| file.entries("contexts")).map(|(name, _)| one_line(name)).collect();
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let known = if names.is_empty() { "it has no contexts".to_owned() } else { format!("the contexts there are: {}", names.join(", ")) };
    let current = || files.iter().find_map(File::current);
    let Some(chosen) = wanted.filter(|name| !name.is_empty()).or_else(current) else {
        let what = format!("the kubeconfig {shown} names no current context; {known}");
        return Err(SourceError::new(FailureKind::BadInput, what, "choose one with --context"));
    };
    let find = |what: &'static str, name: &str| files.iter().find_map(|file| file.find(what, name));
    let Some(context) = find("context", chosen) else {
        let what = format!("there is no context {} in {shown}; {known}", one_line(chosen));
        return Err(SourceError::new(FailureKind::Missing, what, "choose one with --context"));
    };
    let missing = |field: &str, name: &str| context.wrong(field, format_args!("is \"{}\", which is not in {shown}", one_line(name)));
    let name = context.reference("cluster")?.ok_or_else(|| context.wrong("cluster", "is not set"))?;
    let cluster = find("cluster", name).ok_or_else(|| missing("cluster", name))?;
    let user = context.reference("user")?.map(|name| find("user", name).ok_or_else(|| missing("user", name))).transpose()?;
    Ok(Chosen { context, cluster, user })
}

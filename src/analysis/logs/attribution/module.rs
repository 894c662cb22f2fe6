//! Which module a URL means, however it is written: with `oci://` or without, with a tag, a digest or none.

/// A module, as the agent finds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::analysis) enum Module<'u> {
    /// An image (`github.com/google/go-containerregistry pkg/name`).
    Image {
        /// The registry's host.
        registry: &'u str,
        /// The repository, without the `library/` that Docker Hub's own images have.
        repository: &'u str,
        /// The tag or digest.
        reference: &'u str,
    },
    /// Anything else: the URL itself.
    Url(&'u str),
}

/// Writes the URL of an image of which a line has the parts.
pub(in crate::analysis) fn image_url(registry: &str, repository: &str, reference: &str) -> String {
    let sign = if reference.contains(':') { '@' } else { ':' };
    format!("oci://{registry}/{repository}{sign}{reference}")
}

const DOCKER_HUB: &str = "index.docker.io";

impl<'u> Module<'u> {
    /// Reads `url` of a plugin, or the one in a line.
    pub(in crate::analysis) fn of(url: &'u str) -> Self {
        match url.split_once("://") {
            // Go takes a scheme in any case.
            Some((scheme, image)) if scheme.eq_ignore_ascii_case("oci") => Self::image(image),
            Some(_) => Self::Url(url),
            None => Self::image(url),
        }
    }

    /// The host that it is fetched from, with its port where the URL has one; None where it names none.
    pub(in crate::analysis) fn address(&self) -> Option<&'u str> {
        let host = match *self {
            Self::Image { registry, .. } => registry,
            Self::Url(url) => {
                let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
                authority.rsplit_once('@').map_or(authority, |(_, host)| host)
            }
        };
        (!host.is_empty()).then_some(host)
    }

    /// Whether two are the same but for the tag or digest.
    pub(in crate::analysis) fn is_of_repository_of(&self, other: &Module<'_>) -> bool {
        match (self, other) {
            (Self::Image { registry, repository, .. }, Module::Image { registry: of, repository: path, .. }) => {
                registry == of && repository == path
            }
            (Self::Url(url), Module::Url(other)) => url == other,
            _ => false,
        }
    }

    /// The name under which an agent keeps it, without tag and digest (`pkg/wasm/cache.go: moduleNameFromURL`).
    pub(in crate::analysis) fn cache_name(&self) -> String {
        match *self {
            Self::Image { registry, repository, .. } => {
                let library = if registry == DOCKER_HUB && !repository.contains('/') { "library/" } else { "" };
                format!("oci://{registry}/{library}{repository}")
            }
            Self::Url(url) => url.to_owned(),
        }
    }

    fn image(image: &'u str) -> Self {
        // Only what looks like a host is one.
        let (registry, rest) = match image.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) => (host, rest),
            _ => (DOCKER_HUB, image),
        };
        let (repository, reference) = rest.split_once('@').or_else(|| rest.rsplit_once(':')).unwrap_or((rest, "latest"));
        Self::parts(registry, repository, reference)
    }

    /// Puts together what a line has in pieces.
    pub(in crate::analysis) fn parts(registry: &'u str, repository: &'u str, reference: &'u str) -> Self {
        let registry = if registry == "docker.io" { DOCKER_HUB } else { registry };
        let repository = if registry == DOCKER_HUB { repository.strip_prefix("library/").unwrap_or(repository) } else { repository };
        // With both, the digest decides; the tag before it says nothing.
        let repository = if reference.contains(':') { repository.split_once(':').map_or(repository, |(name, _)| name) } else { repository };
        Self::Image { registry, repository, reference }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_module_is_written_in_many_ways() {
        let tagged = Module::Image { registry: "registry.example:5000", repository: "linsun/helloworld", reference: "latest" };
        for url in [
            "oci://registry.example:5000/linsun/helloworld:latest",
            "oci://registry.example:5000/linsun/helloworld",
            "registry.example:5000/linsun/helloworld",
            "OCI://registry.example:5000/linsun/helloworld:latest",
        ] {
            assert_eq!(Module::of(url), tagged, "{url}");
        }
        assert_eq!(Module::parts("registry.example:5000", "linsun/helloworld", "latest"), tagged);
        for url in ["oci://docker.io/library/hello:v1", "hello:v1", "oci://index.docker.io/hello:v1"] {
            assert_eq!(Module::of(url), Module::parts("index.docker.io", "library/hello", "v1"), "{url}");
        }
        let hub = Module::of("oci://docker.io/library/hello:v1");
        let of_it = ["hello:v2", "library/hello", "index.docker.io/hello@sha256:0123", "OCI://index.docker.io/library/hello:v3"];
        assert!(of_it.iter().all(|url| Module::of(url).is_of_repository_of(&hub)));
        assert!(
            !["other/hello:v1", "ghcr.io/hello:v1", "https://docker.io/library/hello:v1"]
                .iter()
                .any(|url| Module::of(url).is_of_repository_of(&hub))
        );
        let digest = Module::Image { registry: "ghcr.io", repository: "a/b", reference: "sha256:0123" };
        assert_eq!([Module::of("ghcr.io/a/b@sha256:0123"), Module::of("oci://ghcr.io/a/b:v1@sha256:0123")], [digest.clone(), digest]);
        assert_eq!(Module::of("https://example.com/a.wasm"), Module::Url("https://example.com/a.wasm"));
        let names = ["oci://registry.example:5000/a/b:v1", "hello:v1", "ghcr.io/a/b@sha256:0123", "https://example.com/a.wasm"];
        assert_eq!(
            names.map(|url| Module::of(url).cache_name()),
            ["oci://registry.example:5000/a/b", "oci://index.docker.io/library/hello", "oci://ghcr.io/a/b", "https://example.com/a.wasm"]
        );
        let address = |url: &'static str| Module::of(url).address();
        assert_eq!(address("oci://10.255.255.1:5000/lab/silent:v1"), Some("10.255.255.1:5000"));
        assert_eq!(address("https://user:pass@example.com:8443/a.wasm?x=1"), Some("example.com:8443"));
        assert_eq!((address("hello:v1"), address("file:///a.wasm")), (Some(DOCKER_HUB), None));
    }
}

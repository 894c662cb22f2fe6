//! Kubeconfigs that kubectl takes, and those that it rejects: each as kubectl does it, every error on the field that causes it.

use std::path::Path;
use std::process::{Command, Output};

use super::inputs::Case;

/// Runs `meshscope plugins` with these files as the kubeconfig. Nothing listens on their ports.
fn run(kubeconfig: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshscope"));
    for name in ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    command.args(["plugins", "--timeout", "1s"]).env("KUBECONFIG", kubeconfig).env("HOME", "/nonexistent");
    command.envs(variables.iter().copied()).output().unwrap()
}

/// The one line that a run ends with, which is no panic.
fn error_of(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

fn fails(path: &Path, words: &[&str]) -> String {
    let text = error_of(&run(path.to_str().unwrap(), &[]));
    for word in words {
        assert!(text.contains(word), "{}: {word:?} is not in {text}", path.display());
    }
    text
}

/// A kubeconfig with these lines for the cluster and the user.
fn config(folder: &Path, cluster: &str, user: &str) -> std::path::PathBuf {
    let lines = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: lab\ncontexts:\n- name: lab\n  context:\n    cluster: c\n    user: u\n\
         clusters:\n- name: c\n  cluster:\n{}users:\n- name: u\n  user:\n{}",
        lines(cluster),
        lines(user)
    );
    let path = folder.join("config");
    std::fs::write(&path, text).unwrap();
    path
}

const TLS: &str = "server: https://127.0.0.1:9\ninsecure-skip-tls-verify: true";

/// What the server at port 9, which is not there, is reached with: all of the kubeconfig was understood.
#[test]
fn field_50_kubeconfigs_that_kubectl_takes_are_taken() {
    let case = Case::open("50-kubeconfig");
    let refused = ["cannot reach the API server https://127.0.0.1:9", "Connection refused"];
    for name in [
        "arn.yaml",
        "basic.yaml",
        "bom.yaml",
        "ca-empty.yaml",
        "ca-wrapped.yaml",
        "crlf.yaml",
        "dashes.yaml",
        "dup-user-1.yaml",
        "exec-noise.yaml",
        "json.json",
        "ns.yaml",
        "ok.yaml",
        "unknown-fields.yaml",
    ] {
        fails(&case.path(name), &refused);
    }
    fails(&case.path("server-path.yaml"), &["http://127.0.0.1:9/k8s/clusters/c-abc", "Connection refused"]);
    fails(&case.path("server-dns.yaml"), &["https://api.cluster.invalid:6443"]);
}

#[test]
fn field_50_a_server_without_a_scheme_is_http_or_with_tls_settings_https() {
    let folder = tempfile::tempdir().unwrap();
    let token = "token: t0ken";
    fails(&config(folder.path(), "server: 127.0.0.1:9", token), &["API server http://127.0.0.1:9", "Connection refused"]);
    fails(&config(folder.path(), "server: localhost:9", token), &["API server http://localhost:9", "Connection refused"]);
    let insecure = "server: 127.0.0.1:9\ninsecure-skip-tls-verify: true";
    fails(&config(folder.path(), insecure, token), &["API server https://127.0.0.1:9", "Connection refused"]);
    for wrong in
        ["127.0.0.1:9/path", "ftp://127.0.0.1:9", "https://127.0.0.1:99999", "https://", "<endpoint-url>", "' https://127.0.0.1:9'", "''"]
    {
        fails(&config(folder.path(), &format!("server: {wrong}"), token), &["server of cluster c in ", "/config "]);
    }
}

#[test]
fn field_50_white_space_and_the_yaml_tag_of_data_are_no_part_of_it() {
    let case = Case::open("50-kubeconfig");
    let ok = std::fs::read_to_string(case.path("ok.yaml")).unwrap();
    let data = ok.lines().find_map(|line| line.trim().strip_prefix("certificate-authority-data: ")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (first, rest) = data.split_at(100);
    for written in [format!("!!binary {data}"), format!("!!binary |\n  {first}\n  {rest}"), format!("\"{first}\\r\\n\\t {rest} \"")] {
        let cluster = format!("server: https://127.0.0.1:9\ncertificate-authority-data: {written}");
        fails(&config(folder.path(), &cluster, "token: t"), &["cannot reach the API server https://127.0.0.1:9", "Connection refused"]);
    }
}

#[test]
fn field_50_an_empty_text_counts_as_unset() {
    let case = Case::open("50-kubeconfig");
    let both = |first: &str, second: &str| format!("{}:{}", case.path(first).display(), case.path(second).display());
    let text = error_of(&run(&both("no-current.yaml", "multi-b.yaml"), &[]));
    assert!(text.contains("there is no context other") && text.contains("the contexts there are: lab, bar"), "{text}");
    let text = error_of(&run(&both("multi-a.yaml", "multi-b.yaml"), &[]));
    assert!(text.contains("cannot reach the API server https://127.0.0.1:9"), "{text}");
    let text = error_of(&run(&both("dup-user-1.yaml", "dup-user-2.yaml"), &[]));
    assert!(text.contains("cannot reach the API server https://127.0.0.1:9"), "{text}");
    for name in ["no-current.yaml", "no-current-key.yaml"] {
        fails(&case.path(name), &["names no current context; the contexts there are: lab"]);
    }
    for name in ["empty.yaml", "comment-only.yaml", "empty-config.yaml"] {
        fails(&case.path(name), &["names no current context; it has no contexts"]);
    }
    let folder = tempfile::tempdir().unwrap();
    let cluster = format!("{TLS}\nproxy-url: ''\ntls-server-name: ''\ncertificate-authority: ''\ncertificate-authority-data: ''");
    let user = "token: ''\ntokenFile: ''\nusername: ''\nclient-certificate: ''\nclient-key-data: ''\nas: ''";
    fails(&config(folder.path(), &cluster, user), &["cannot reach the API server https://127.0.0.1:9", "Connection refused"]);
}

#[test]
fn field_50_every_error_names_the_field_and_the_file() {
    let case = Case::open("50-kubeconfig");
    for (name, words) in [
        ("proxy-bad.yaml", &["proxy-url of cluster lab in ", "proxy-bad.yaml", "127.0.0.1:3128"][..]),
        ("proxy-http-2.yaml", &["https://127.0.0.1:10", "http://127.0.0.1:9", "proxy-url of cluster lab in", "Connection refused"]),
        ("proxy-socks5-2.yaml", &["https://127.0.0.1:10", "socks5://127.0.0.1:9", "proxy-url of cluster lab in"]),
        ("proxy-http.yaml", &["through the proxy http://127.0.0.1:9"]),
        ("proxy-https.yaml", &["through the proxy https://127.0.0.1:9"]),
        ("proxy-socks5.yaml", &["through the proxy socks5://127.0.0.1:9"]),
        ("auth-provider-oidc.yaml", &["auth-provider.config.id-token of user lab in ", "auth-provider-oidc.yaml"]),
        ("auth-provider-azure.yaml", &["auth-provider of user lab in ", "azure"]),
        ("auth-provider-gcp.yaml", &["auth-provider of user lab in ", "gcloud failed: No such file or directory"]),
        ("user-missing.yaml", &["user of context lab in ", "is \"missing\", which is not in "]),
        ("cluster-missing.yaml", &["cluster of context lab in ", "is \"missing\", which is not in "]),
        ("current-unknown.yaml", &["there is no context gone in ", "lab"]),
        ("ca-not-pem.yaml", &["certificate-authority-data of cluster lab in "]),
        ("ca-placeholder.yaml", &["server of cluster lab in ", "<endpoint-url>"]),
        ("ca-file-missing.yaml", &["certificate-authority of cluster lab in ", "/nonexistent/ca.crt", "no such file"]),
        ("exec-missing.yaml", &["aws-not-here is not installed", "exec.command of user lab in ", "install the aws CLI"]),
        ("exec-fails.yaml", &["exec of user lab in ", "Error loading SSO Token: Token for prod does not exist"]),
        ("exec-not-json.yaml", &["exec of user lab in ", "not an ExecCredential"]),
        ("tabs.yaml", &["cannot use the kubeconfig ", "tabs.yaml", "line"]),
    ] {
        let text = fails(&case.path(name), words);
        assert!(!text.contains("does not accept"), "nobody was asked: {text}");
    }
}

#[test]
fn field_50_what_kubectl_rejects_is_rejected() {
    let case = Case::open("50-kubeconfig");
    let ok = std::fs::read_to_string(case.path("ok.yaml")).unwrap();
    let ca = ok.lines().find_map(|line| line.trim().strip_prefix("certificate-authority-data: ")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty"), "").unwrap();
    std::fs::write(folder.path().join("text"), "hello").unwrap();
    let token = "token: t";
    for (cluster, user, words) in [
        (
            format!("{TLS}\ncertificate-authority-data: {ca}"),
            token,
            &["insecure-skip-tls-verify of cluster c", "certificate-authority-data"][..],
        ),
        (format!("{TLS}\nproxy-url: ftp://h:1"), token, &["proxy-url of cluster c", "ftp://h:1"]),
        (format!("{TLS}\nproxy-url: 'http://'"), token, &["proxy-url of cluster c"]),
        (format!("{TLS}\ntls-server-name: 'not a name'"), token, &["tls-server-name of cluster c"]),
        ("server: https://127.0.0.1:9\ncertificate-authority: text".to_owned(), token, &["certificate-authority of cluster c", "PEM"]),
        ("server: https://127.0.0.1:9\ncertificate-authority-data: '%%%'".to_owned(), token, &["certificate-authority-data of cluster c"]),
        (
            "server: https://127.0.0.1:9\ncertificate-authority: .".to_owned(),
            token,
            &["certificate-authority of cluster c", "no regular file"],
        ),
        (TLS.to_owned(), "tokenFile: /nonexistent/token", &["tokenFile of user u", "/nonexistent/token", "no such file"]),
        (TLS.to_owned(), "tokenFile: empty", &["tokenFile of user u", "empty"]),
        (TLS.to_owned(), "tokenFile: /dev/zero", &["tokenFile of user u", "no regular file"]),
        (TLS.to_owned(), "token: a\nusername: b", &["token of user u"]),
        (TLS.to_owned(), "client-certificate-data: bm8=", &["client-key of user u"]),
        (TLS.to_owned(), "client-certificate-data: bm8=\nclient-key-data: bm8=", &["client-", "of user u"]),
        (
            TLS.to_owned(),
            "client-certificate: /nonexistent/c\nclient-key: /nonexistent/k",
            &["client-certificate of user u", "/nonexistent/c"],
        ),
        (TLS.to_owned(), "as-uid: x", &["as-uid of user u"]),
        (TLS.to_owned(), "token: t\nas: \"a\\nb\"", &["as of user u"]),
        (TLS.to_owned(), "exec:\n  apiVersion: client.authentication.k8s.io/v1\n  command: ''", &["exec.command of user u"]),
        (TLS.to_owned(), "auth-provider:\n  name: unknown", &["auth-provider of user u", "unknown"]),
    ] {
        fails(&config(folder.path(), &cluster, user), words);
    }
}

#[test]
fn field_50_a_file_is_read_as_text_of_any_encoding_and_only_where_it_is_one() {
    let case = Case::open("50-kubeconfig");
    let text = std::fs::read_to_string(case.path("dup-user-1.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let utf16 = |to: fn(u16) -> [u8; 2]| std::iter::once('\u{feff}').chain(text.chars()).flat_map(|c| to(c as u16)).collect::<Vec<u8>>();
    for bytes in [utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
        std::fs::write(&path, &bytes).unwrap();
        fails(&path, &["cannot reach the API server https://127.0.0.1:9"]);
        // Half a character at the end is none, and no reason to panic.
        std::fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
        fails(&path, &["cannot reach the API server https://127.0.0.1:9"]);
    }
    std::fs::write(&path, [0xff, 0xff, 0, 1]).unwrap();
    fails(&path, &["cannot use the kubeconfig", "no text"]);
    fails(folder.path(), &["cannot use the kubeconfig", "no regular file"]);
    fails(Path::new("/dev/zero"), &["cannot use the kubeconfig", "no regular file"]);
}

#[test]
fn field_50_the_white_space_around_a_token_in_a_file_is_no_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), " t0ken\n").unwrap();
    fails(&config(folder.path(), TLS, "tokenFile: token"), &["cannot reach the API server https://127.0.0.1:9"]);
    std::fs::write(folder.path().join("token"), "a\nb").unwrap();
    let text = fails(&config(folder.path(), TLS, "tokenFile: token"), &["tokenFile of user u", "line end"]);
    assert!(!text.contains("a\nb"), "{text}");
}

#[test]
fn field_50_the_proxy_of_the_environment_is_named() {
    let case = Case::open("50-kubeconfig");
    let path = case.path("server-dns.yaml");
    let run = |variables: &[(&str, &str)]| error_of(&run(path.to_str().unwrap(), variables));
    for proxy in ["http://127.0.0.1:9", "127.0.0.1:9"] {
        let text = run(&[("HTTPS_PROXY", proxy)]);
        assert!(text.contains("through the proxy http://127.0.0.1:9 ($HTTPS_PROXY)"), "{text}");
    }
    let text = run(&[("HTTPS_PROXY", "ftp://u:s3cret@h")]);
    assert!(text.contains("$HTTPS_PROXY") && !text.contains("s3cret"), "{text}");
    let text = run(&[("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "cluster.invalid")]);
    assert!(!text.contains("through the proxy"), "{text}");
}

#[test]
fn hostile_h5_a_token_that_no_header_can_carry_is_one_line() {
    let case = Case::open("hostile");
    fails(&case.path("kubeconfig-token-newline.yaml"), &["token of user u in ", "line end"]);
    // The same from a credential plugin, with an end and without.
    let folder = tempfile::tempdir().unwrap();
    for expiry in ["", ", \"expirationTimestamp\": \"2999-01-01T00:00:00Z\""] {
        let answer = format!(
            "{{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{{\"token\":\"s3cret\\\\nx\"{expiry}}}}}"
        );
        std::fs::write(folder.path().join("answer"), answer.replace("\\\\", "\\")).unwrap();
        let file = folder.path().join("answer").display().to_string();
        let user =
            format!("exec:\n  apiVersion: client.authentication.k8s.io/v1\n  command: cat\n  args: ['{file}']\n  interactiveMode: Never");
        let text = fails(&config(folder.path(), TLS, &user), &["credentials"]);
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn hostile_h17_credentials_of_urls_and_of_plugins_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let exec = |script: &str| {
        format!("exec:\n  apiVersion: client.authentication.k8s.io/v1\n  command: sh\n  args: ['-c', '{script}']\n  interactiveMode: Never")
    };
    for (cluster, user) in [
        ("server: https://jane:s3cret@127.0.0.1:9".to_owned(), "token: t".to_owned()),
        ("server: ftp://jane:s3cret@127.0.0.1:9".to_owned(), "token: t".to_owned()),
        ("server: https://127.0.0.1:9/p?token=s3cret".to_owned(), "token: t".to_owned()),
        ("server: jane:s3cret@127.0.0.1:9/path".to_owned(), "token: t".to_owned()),
        (format!("{TLS}\nproxy-url: http://jane:s3cret@127.0.0.1:10"), "token: t".to_owned()),
        (format!("{TLS}\nproxy-url: jane:s3cret@127.0.0.1:10"), "token: t".to_owned()),
        (format!("{TLS}\nproxy-url: 'http://jane:s3/cret@127.0.0.1:10'"), "token: t".to_owned()),
        (TLS.to_owned(), exec("echo login failed: password=s3cret >&2; exit 1")),
        (TLS.to_owned(), exec("echo see https://jane:s3cret@example.com/login >&2; exit 1")),
        (TLS.to_owned(), exec("echo Authorization: Bearer s3cret.s3cret.s3cret >&2; exit 1")),
    ] {
        let text = fails(&config(folder.path(), &cluster, &user), &[]);
        assert!(!text.contains("cret@") && !text.contains("s3cret"), "{text}");
    }
}

#[test]
fn field_50_what_another_context_or_user_lacks_is_no_matter() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), TLS, "token: t");
    let text = std::fs::read_to_string(&path).unwrap();
    for (list, entry) in [
        ("contexts", "- name: other\n  context:\n    user: u\n"),
        ("contexts", "- name: other\n  context: {}\n"),
        ("contexts", "- name: other\n"),
        ("contexts", "- context: {cluster: c}\n"),
        ("users", "- name: other\n  user: {exec: {command: x, interactiveMode: Sometimes}}\n"),
        ("users", "- name: other\n  user: {auth-provider: {config: {a: null}}}\n"),
        ("users", "- name: other\n"),
        ("clusters", "- name: other\n"),
        ("clusters", "- name: other\n  cluster: {extensions: [{name: x}]}\n"),
    ] {
        let head = format!("\n{list}:\n");
        std::fs::write(&path, text.replace(&head, &format!("{head}{entry}"))).unwrap();
        fails(&path, &["cannot reach the API server https://127.0.0.1:9", "Connection refused"]);
    }
    // Of the chosen one each is said on its field.
    for (old, new, words) in [
        ("    cluster: c\n", "", "cluster of context lab in "),
        ("    cluster: c\n", "    cluster: 7\n", "cluster of context lab in "),
        ("    user: u\n", "    user: gone\n", "user of context lab in "),
        ("contexts:\n", "contexts: {}\nx:\n", "contexts is no list"),
    ] {
        std::fs::write(&path, text.replace(old, new)).unwrap();
        fails(&path, &[words]);
    }
}

#[test]
fn field_50_the_answer_of_a_plugin_is_checked_before_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let v1 = "client.authentication.k8s.io/v1";
    let exec = |version: &str, status: &str| {
        let answer = format!("{{\"kind\":\"ExecCredential\",\"apiVersion\":\"{v1}\"{status}}}");
        std::fs::write(folder.path().join("answer"), answer).unwrap();
        let file = folder.path().join("answer").display().to_string();
        format!("exec:\n  apiVersion: {version}\n  command: cat\n  args: ['{file}']\n  interactiveMode: Never")
    };
    let certificate = r#","status":{"clientCertificateData":"AAAA","clientKeyData":"SECRETKEYDATA"}"#;
    for (status, word) in [
        (r#","status":{}"#, "neither a token nor a certificate"),
        (r#","status":{"token":""}"#, "neither a token nor a certificate"),
        (r#","status":{"token":null,"expirationTimestamp":"2999-01-01T00:00:00Z"}"#, "neither a token nor a certificate"),
        (r#","status":{"clientCertificateData":"AAAA"}"#, "without its key"),
        (r#","status":null"#, "not an ExecCredential"),
        ("", "not an ExecCredential"),
        (certificate, "of the plugin's answer cannot be used"),
    ] {
        let text = fails(&config(folder.path(), TLS, &exec(v1, status)), &["exec of user u in ", word]);
        assert!(!text.contains("SECRETKEYDATA") && !text.contains("client-key"), "{text}");
    }
    for status in [r#","status":{"token":"t"}"#, r#","status":{"token":"t","expirationTimestamp":"2999-01-01T00:00:00Z"}"#] {
        fails(&config(folder.path(), TLS, &exec(v1, status)), &["cannot reach the API server https://127.0.0.1:9"]);
    }
    for version in ["foo/v9", "client.authentication.k8s.io/v2", "''"] {
        fails(&config(folder.path(), TLS, &exec(version, "")), &["exec.apiVersion of user u in ", "client.authentication.k8s.io/v1"]);
    }
    let other = exec(v1, "").replace("Never", "Sometimes");
    fails(&config(folder.path(), TLS, &other), &["exec.interactiveMode of user u in ", "Sometimes"]);
}

#[test]
fn field_50_a_bad_certificate_beside_a_good_one_is_passed_over() {
    let case = Case::open("50-kubeconfig");
    let ok = std::fs::read_to_string(case.path("ok.yaml")).unwrap();
    let ca = ok.lines().find_map(|line| line.trim().strip_prefix("certificate-authority-data: ")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let good = Command::new("base64").arg("-d").stdin(piped(folder.path(), ca)).output().unwrap().stdout;
    let bad = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (bytes, taken) in [([&good[..], b"\n", bad].concat(), true), ([&bad[..], b"\n", &good].concat(), true), (bad.to_vec(), false)] {
        std::fs::write(folder.path().join("ca.crt"), bytes).unwrap();
        let cluster = "server: https://127.0.0.1:9\ncertificate-authority: ca.crt";
        let word = if taken { "cannot reach the API server" } else { "certificate-authority of cluster c in " };
        fails(&config(folder.path(), cluster, "token: t"), &[word]);
    }
}

/// A file with this text, open to be read.
fn piped(folder: &Path, text: &str) -> std::fs::File {
    let path = folder.join("piped");
    std::fs::write(&path, text).unwrap();
    std::fs::File::open(path).unwrap()
}

#[test]
fn field_50_small_and_large_letters_of_a_scheme_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let through = |url: &str| format!("{TLS}\nproxy-url: {url}").replace("127.0.0.1:9\n", "127.0.0.1:10\n");
    fails(&config(folder.path(), &through("SOCKS5://127.0.0.1:9"), "token: t"), &["through the proxy socks5://127.0.0.1:9"]);
    fails(&config(folder.path(), "server: HTTPS://127.0.0.1:9", "token: t"), &["cannot reach the API server https://127.0.0.1:9"]);
}

#[test]
fn field_50_a_token_file_of_bytes_is_no_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), [0xff, 0xfe, 0]).unwrap();
    let text = fails(&config(folder.path(), TLS, "tokenFile: token"), &["tokenFile of user u in ", "no text"]);
    assert!(!text.contains("empty"), "{text}");
}

#[test]
fn field_50_every_file_of_the_case_is_tried() {
    let case = Case::open("50-kubeconfig");
    let tried = include_str!("kubeconfig.rs");
    for file in std::fs::read_dir(case.folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let is_one = [".yaml", ".json"].iter().any(|end| name.ends_with(end));
        assert!(!is_one || tried.contains(&format!("\"{name}\"")), "{name}");
    }
}

/// Each as kubectl 1.32 does it (client-go `tools/clientcmd/api/v1/conversion.go`, `plugin/pkg/client/auth/exec/exec.go`).
#[test]
fn field_50_what_kubectl_rejects_of_a_whole_file_is_rejected() {
    let case = Case::open("50-kubeconfig");
    fails(&case.path("exec-v1alpha1.yaml"), &["exec.apiVersion of user lab in ", "client.authentication.k8s.io/v1beta1"]);
    fails(
        &case.path("exec-v1beta1-answer-alpha.yaml"),
        &["the apiVersion client.authentication.k8s.io/v1alpha1, and the kubeconfig names"],
    );

    let folder = tempfile::tempdir().unwrap();
    let plain = std::fs::read_to_string(config(folder.path(), TLS, "token: t0ken")).unwrap();
    let path = folder.path().join("config");
    let with = |text: &str| {
        std::fs::write(&path, text).unwrap();
        path.clone()
    };
    for (of, to, what) in [
        ("clusters:\n", "clusters:\n- name: c\n  cluster: {server: 'https://127.0.0.2:9'}\n", "clusters has the name c twice"),
        ("contexts:\n", "contexts:\n- name: lab\n  context: {cluster: z}\n", "contexts has the name lab twice"),
        ("users:\n", "users:\n- name: x\n- name: x\n", "users has the name x twice"),
        ("kind: Config", "kind: Pod", "its kind is Pod, and that of a kubeconfig is Config"),
        ("apiVersion: v1", "apiVersion: v2", "its apiVersion is v2, and that of a kubeconfig is v1"),
        ("apiVersion: v1", "apiVersion: 1", "its apiVersion is 1, and"),
        ("server: https://127.0.0.1:9", "server: 123", "server of cluster c in "),
        ("server: https://127.0.0.1:9", "server: 123", "is no text; put it in quotes"),
        ("token: t0ken", "token: 12345", "token of user u in "),
        ("token: t0ken", "username: jane\n    password: 12345", "password of user u in "),
    ] {
        let said = fails(&with(&plain.replace(of, to)), &[what]);
        assert!(!said.contains("12345"), "{said}");
    }
    // Of two equal keys the last counts, and what is left out has its default.
    let reached = ["cannot reach the API server https://127.0.0.1:9", "Connection refused"];
    for text in [
        format!("current-context: none\n{plain}"),
        plain.replace("kind: Config\n", ""),
        plain.replace("apiVersion: v1\n", ""),
        plain.replace("server: https", "server: https://127.0.0.2:9\n    server: https"),
        format!("{plain}---\n{plain}"),
    ] {
        fails(&with(&text), &reached);
    }
    let said = fails(&with("a: [\n"), &["cannot use the kubeconfig"]);
    assert!(!said.contains("Options"), "{said}");
}

#[test]
fn field_50_the_mode_and_the_answer_of_a_plugin_are_held_to_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let answer = |version: &str| {
        format!(r#"{{"apiVersion":"client.authentication.k8s.io/{version}","kind":"ExecCredential","status":{{"token":"s3cr3t"}}}}"#)
    };
    let user = |version: &str, mode: &str, answer: &str| {
        format!("exec: {{apiVersion: client.authentication.k8s.io/{version}, command: echo, {mode}args: ['{answer}']}}")
    };
    let reached = ["cannot reach the API server https://127.0.0.1:9", "Connection refused"];
    for (version, mode, answer, words) in [
        ("v1", "", answer("v1"), &["exec.interactiveMode of user u in ", "is not set"][..]),
        ("v1", "interactiveMode: Never, ", answer("v1"), &reached),
        ("v1beta1", "", answer("v1beta1"), &reached),
        (
            "v1beta1",
            "",
            answer("v1"),
            &["the apiVersion client.authentication.k8s.io/v1, and the kubeconfig names client.authentication.k8s.io/v1beta1"],
        ),
        ("v1beta1", "", r#"{"status":{"token":"s3cr3t"}}"#.to_owned(), &["is not an ExecCredential"]),
        ("v1beta1", "", answer("v1beta1").replace("ExecCredential", "Secret"), &["is not an ExecCredential"]),
        ("v1alpha1", "", answer("v1alpha1"), &["exec.apiVersion of user u in "]),
    ] {
        let said = fails(&config(folder.path(), TLS, &user(version, mode, &answer)), words);
        assert!(!said.contains("s3cr3t"), "{said}");
    }
}

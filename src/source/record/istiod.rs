//! The istiods of a recording: what they say of themselves and of each proxy, and their logs.

use futures::{StreamExt, TryStreamExt, stream};

use super::super::files::{istiods_dump, view_of_istiod};
use super::super::{FailureKind, IstiodReplies, LogRequest, Reply, SharedSource, SourceError, SourceKind};
use super::folder::{Folder, blocking, is_plain_name};
use super::{AT_ONCE, Gap, RecordTarget, contents, proxies};
use crate::ingest::istiod::istiod_version;
use crate::model::ids::ProxyId;
use crate::model::logs::DISCOVERY;

/// Writes what the istiods say. Hands back what could not be read.
pub(super) async fn record(
    source: &SharedSource,
    folder: &Folder,
    targets: &[RecordTarget],
    pods: &[ProxyId],
) -> Result<Vec<Gap>, SourceError> {
    let mut gaps = Vec::new();
    if let Some(replies) = ask(source, "/version", &mut gaps).await {
        let text = |reply: &Reply| String::from_utf8_lossy(&reply.bytes).into_owned();
        let versions: Vec<String> = replies.iter().map(|(pod, reply)| format!("{pod} {}", istiod_version(&text(reply)))).collect();
        if versions.windows(2).any(|pair| pair[0].split(' ').next_back() != pair[1].split(' ').next_back()) {
            gaps.push(Gap::said("istiod's version", format!("the istiods differ, the first is recorded: {}", versions.join(", "))));
        }
        if let Some((_, first)) = replies.first() {
            folder.write("istiod/version.txt", contents::text(&first.bytes)).await?;
        }
    }
    for what in ["syncz", "connections", "instancesz", "adsz"] {
        if let Some(replies) = ask(source, &format!("/debug/{what}"), &mut gaps).await {
            let answers: Vec<Vec<u8>> = replies.into_iter().map(|(_, reply)| reply.bytes.to_vec()).collect();
            let written = move || Ok(if what == "adsz" { contents::watches(&answers) } else { contents::merged(&answers) });
            if let Some(text) = blocking(written).await? {
                folder.write(&format!("istiod/{what}.json"), text).await?;
            }
        }
    }
    let plain = targets.iter().filter(|target| is_plain_name(&target.proxy.to_string()));
    let dumps = stream::iter(plain).map(|target| dump(source, folder, &target.proxy)).buffer_unordered(AT_ONCE);
    gaps.extend(dumps.try_collect::<Vec<_>>().await?.into_iter().flatten());
    gaps.extend(logs(source, folder, pods).await?);
    Ok(gaps)
}

/// Asks all istiods; None where there is no answer.
async fn ask(source: &SharedSource, path: &str, gaps: &mut Vec<Gap>) -> Option<Vec<(String, Reply)>> {
    let answer = source.istiod(path.to_owned()).await;
    let is_part = |(_, reply): &(String, Reply)| reply.asked_as.as_ref().is_some_and(|asked_as| !asked_as.sees_all);
    if answer.as_ref().is_ok_and(|found| found.replies.iter().any(is_part)) {
        // Who reads the recording would take the proxies that are not in it for such that are not connected.
        let why = "left out: without a token of its own namespace istiod may have told of the proxies of one namespace alone";
        gaps.push(Gap::said(format!("istiod's {path}"), why));
        return None;
    }
    answered(answer, path, gaps)
}

/// What the istiods said; None, and a gap, where they said nothing.
fn answered(answer: Result<IstiodReplies, SourceError>, path: &str, gaps: &mut Vec<Gap>) -> Option<Vec<(String, Reply)>> {
    match answer {
        Ok(IstiodReplies { replies, .. }) if replies.is_empty() => {
            gaps.push(Gap::said(format!("istiod's {path}"), "no istiod answered"));
            None
        }
        Ok(IstiodReplies { replies, silent }) => {
            gaps.extend(silent.into_iter().map(|why| Gap::said(format!("istiod's {path}"), why)));
            Some(replies)
        }
        Err(error) if error.kind == FailureKind::Missing => None,
        Err(error) => {
            gaps.push(Gap::new(format!("istiod's {path}"), error));
            None
        }
    }
}

/// What istiod would send to a proxy. Where its dump is an error, which is written too, also what `diff` reads in its place.
async fn dump(source: &SharedSource, folder: &Folder, proxy: &ProxyId) -> Result<Vec<Gap>, SourceError> {
    let (is_dump, gaps) = debug_dump(source, folder, proxy).await?;
    if !is_dump
        && let Ok(reply) = source.view_of_istiod(proxy.clone()).await
        && let Some(text) = blocking(move || Ok(contents::view(&reply))).await?
    {
        folder.write(&view_of_istiod(proxy), text).await?;
    }
    Ok(gaps)
}

/// What istiod's debug interface dumps of a proxy, or the error that it gives instead: only the istiod that the proxy is connected to
/// knows. Says whether it is a dump.
async fn debug_dump(source: &SharedSource, folder: &Folder, proxy: &ProxyId) -> Result<(bool, Vec<Gap>), SourceError> {
    let path = format!("/debug/config_dump?proxyID={proxy}&include_eds");
    let file = istiods_dump(proxy);
    let mut gaps = Vec::new();
    let answer = source.istiod(path.clone()).await;
    if let Err(error) = &answer
        && error.kind == FailureKind::Refused
    {
        // istiod is there and says why it does not tell: that is its answer, as the layout of a recording has it.
        folder.write(&file, contents::text(error.what.as_bytes())).await?;
        return Ok((false, gaps));
    }
    // That the others do not have the proxy is as it should be.
    let answer = answer.map(|found| IstiodReplies { silent: Vec::new(), ..found });
    if let Some(replies) = answered(answer, &path, &mut gaps) {
        let best = replies.iter().find(|(_, reply)| is_dump(reply)).or(replies.first());
        if let Some((_, reply)) = best {
            let (found, bytes) = (is_dump(reply), reply.bytes.clone());
            let text = blocking(move || Ok(contents::text(&bytes))).await?;
            folder.write(&file, text).await?;
            return Ok((found, gaps));
        }
    }
    Ok((false, gaps))
}

fn is_dump(reply: &Reply) -> bool {
    reply.bytes.trim_ascii_start().starts_with(b"{")
}

async fn logs(source: &SharedSource, folder: &Folder, pods: &[ProxyId]) -> Result<Vec<Gap>, SourceError> {
    let request = |pod: &ProxyId| LogRequest { pod: pod.clone(), container: DISCOVERY.to_owned() };
    let one = "logs/istiod.log".to_owned();
    match pods {
        // A recording may hold the log and not the pod.
        [] if source.info().kind != SourceKind::Cluster => proxies::log(source, folder, request(&ProxyId::new("", "")), one).await,
        [] => Ok(vec![Gap::said("istiod's log", "no pod with a container `discovery` was found")]),
        [pod] => proxies::log(source, folder, request(pod), one).await,
        pods => {
            let mut gaps = Vec::new();
            for pod in pods.iter().filter(|pod| is_plain_name(&pod.pod)) {
                gaps.extend(proxies::log(source, folder, request(pod), format!("logs/istiod.{}.log", pod.pod)).await?);
            }
            Ok(gaps)
        }
    }
}

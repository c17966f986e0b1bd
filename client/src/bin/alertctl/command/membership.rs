//! What a change of the membership does to the quorum, in words. No calls: everything follows from a status.

use std::fmt::Write;

use alert_client::pb;

/// How many voters must agree.
pub fn quorum(voters: usize) -> usize {
    voters / 2 + 1
}

fn voters(status: &pb::StatusResponse) -> Vec<&pb::MemberStatus> {
    status.members.iter().filter(|member| member.kind == "voter").collect()
}

fn member_name(member: &pb::MemberStatus) -> String {
    if member.name.is_empty() {
        format!("node {}", member.node_id)
    } else {
        format!("node {} ({})", member.node_id, member.name)
    }
}

fn reachable(status: &pb::StatusResponse, member: &pb::MemberStatus) -> bool {
    member.reachable || member.node_id == status.node_id
}

/// "3 voters, 2 of them must agree, 3 are reachable: it stands the loss of 1 more".
fn standing(voters: usize, reachable: usize) -> String {
    let needed = quorum(voters);
    let what = match reachable.checked_sub(needed) {
        None => "NO QUORUM: no write, no linearizable read".to_owned(),
        Some(0) => "it stands NO further loss".to_owned(),
        Some(more) => format!("it stands the loss of {more} more"),
    };
    let verb = if reachable == 1 { "is" } else { "are" };
    let noun = if voters == 1 { "voter" } else { "voters" };
    format!("{voters} {noun}, {needed} must agree, {reachable} {verb} reachable: {what}")
}

/// What the removal of a node does; an error when it is no member.
pub fn removal(status: &pb::StatusResponse, node_id: u64) -> Result<String, String> {
    let Some(member) = status.members.iter().find(|member| member.node_id == node_id) else {
        return Err(format!("node {node_id} is no member of this cluster"));
    };
    let before = voters(status);
    let reachable_before = before.iter().filter(|member| reachable(status, member)).count();
    let after: Vec<_> = before.iter().filter(|member| member.node_id != node_id).collect();
    let reachable_after = after.iter().filter(|member| reachable(status, member)).count();

    let mut text = format!("This removes {}, a {}. Its id is never used again.\n", member_name(member), member.kind);
    let _ = writeln!(text, "  now:   {}", standing(before.len(), reachable_before));
    let _ = write!(text, "  after: {}", standing(after.len(), reachable_after));
    if status.leader_id == node_id {
        text.push_str("\n  It leads: another node takes over first, and writes wait for that.");
    }
    if after.is_empty() {
        text.push_str("\n  It is the last voter: the cluster would be gone.");
    } else if reachable_after < quorum(after.len()) {
        text.push_str("\n  After this the cluster CANNOT WRITE until unreachable voters come back.");
    }
    Ok(text)
}

/// What a transfer of leadership does; an error when the node cannot lead.
pub fn transfer(status: &pb::StatusResponse, to: u64) -> Result<String, String> {
    let leader = status.members.iter().find(|member| member.node_id == status.leader_id);
    let from = leader.map_or_else(|| "nobody known".to_owned(), member_name);
    let mut text = format!("This hands leadership over from {from} to ");
    if to == 0 {
        text.push_str("the best caught-up voter.");
    } else {
        let Some(member) = status.members.iter().find(|member| member.node_id == to) else {
            return Err(format!("node {to} is no member of this cluster"));
        };
        if member.kind != "voter" {
            return Err(format!("{} is a {}, and only voters lead", member_name(member), member.kind));
        }
        if status.leader_id == to {
            return Err(format!("{} leads already", member_name(member)));
        }
        let behind = status.last_log_index.saturating_sub(member.matched_index);
        let _ = write!(text, "{}, which is {behind} log entries behind.", member_name(member));
        if !reachable(status, member) {
            text.push_str("\n  It is NOT REACHABLE: the transfer will fail.");
        }
    }
    let before = voters(status);
    let reached = before.iter().filter(|member| reachable(status, member)).count();
    let _ = write!(text, "\n  {}\n  Writes wait for a moment; none is lost.", standing(before.len(), reached));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(kinds: &[(&str, bool)]) -> pb::StatusResponse {
        let members = (1..).zip(kinds).map(|(node_id, (kind, reachable))| pb::MemberStatus {
            node_id,
            name: format!("n{node_id}"),
            kind: (*kind).to_owned(),
            reachable: *reachable,
            matched_index: 90,
            ..Default::default()
        });
        pb::StatusResponse {
            node_id: 1,
            leader_id: 1,
            last_log_index: 100,
            members: members.collect(),
            ..Default::default()
        }
    }

    #[test]
    fn a_removal_says_what_is_left_of_the_quorum() {
        let three = status(&[("voter", false), ("voter", true), ("voter", true)]);
        assert_eq!(
            removal(&three, 3).unwrap(),
            "This removes node 3 (n3), a voter. Its id is never used again.\n\
             \x20 now:   3 voters, 2 must agree, 3 are reachable: it stands the loss of 1 more\n\
             \x20 after: 2 voters, 2 must agree, 2 are reachable: it stands NO further loss"
        );
    }

    #[test]
    fn a_removal_that_would_stop_the_cluster_says_so() {
        let one_away = status(&[("voter", true), ("voter", true), ("voter", false)]);
        let text = removal(&one_away, 2).unwrap();
        assert!(text.contains("after: 2 voters, 2 must agree, 1 is reachable: NO QUORUM"), "{text}");
        assert!(text.contains("CANNOT WRITE"), "{text}");
        assert!(removal(&status(&[("voter", true)]), 1).unwrap().contains("the cluster would be gone"));
        assert!(removal(&one_away, 9).is_err());
    }

    #[test]
    fn only_a_voter_can_be_told_to_lead() {
        let cluster = status(&[("voter", true), ("voter", true), ("learner", true)]);
        assert!(transfer(&cluster, 2).unwrap().contains("which is 10 log entries behind"));
        assert!(transfer(&cluster, 3).unwrap_err().contains("only voters lead"));
        assert!(transfer(&cluster, 1).unwrap_err().contains("leads already"));
        assert!(transfer(&cluster, 0).unwrap().contains("best caught-up voter"));
    }
}

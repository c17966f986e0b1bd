use super::*;

#[test]
fn the_shipped_rules_are_complete_and_sound() {
    let rules = RuleSet::from_documents(RuleSet::default_rules()).unwrap();
    assert_eq!(rules.versions().code_lists, 1);
    assert_eq!(rules.partition("discreet-check"), Partition::Covert);
    assert_eq!(rules.partition("arrest"), Partition::Open);
    assert_eq!(rules.partition("unheard-of"), Partition::Covert);
}

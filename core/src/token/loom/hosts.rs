//! The races of a token whose node lies in its host's memory, one to a model.
#![allow(unsafe_code, reason = "a host lets go of its node by hand")]

use ::loom::thread;

use super::super::Token;
use super::super::hosted::Hosted;
use super::super::models::{dismiss, guest};
use crate::loom_model;

#[test]
fn loom_t6_a_linked_host_against_cancel_of_its_parent() {
    loom_model("t6_a_linked_host_against_cancel_of_its_parent", || {
        let (root, parent) = (Token::new(), Token::new());
        let other = parent.clone();
        let thread = thread::spawn(move || other.cancel());
        let (token, told) = guest(&root, Some(&parent));
        thread.join().unwrap();
        assert!(token.is_cancelled());
        assert_eq!(told.get()[0], 1);
        drop(token);
        assert_eq!(told.get()[2], 1);
    });
}

#[test]
fn loom_t7_a_host_is_dismissed_against_cancel() {
    loom_model("t7_a_host_is_dismissed_against_cancel", || {
        let (root, parent) = (Token::new(), Token::new());
        let (token, told) = guest(&root, Some(&parent));
        let other = parent.clone();
        let thread = thread::spawn(move || other.cancel());
        dismiss(&token);
        thread.join().unwrap();
        assert!(told.get()[0] <= 1);
        drop(token);
        assert_eq!(told.get()[2], 1);
    });
}

#[test]
fn loom_r5_the_last_of_two_who_let_go_releases_the_host() {
    loom_model("r5_the_last_of_two_who_let_go_releases_the_host", || {
        let root = Token::new();
        let (token, told) = guest(&root, None);
        let job = token.node().expect("a node").up.host().expect("a guest");
        std::mem::forget(token.clone());
        let thread = thread::spawn(move || drop(token));
        // As a handle lets go of its job: without counting down where it is alone.
        // SAFETY: the count is that of the clone, which was forgotten.
        unsafe { Hosted::let_go(job) };
        thread.join().unwrap();
        assert_eq!(told.get()[2], 1);
    });
}

#[test]
fn loom_r5_a_listed_host_is_let_go_against_cancel_of_its_parent() {
    loom_model("r5_a_listed_host_is_let_go_against_cancel_of_its_parent", || {
        let (root, parent) = (Token::new(), Token::new());
        let (token, told) = guest(&root, Some(&parent));
        let job = token.node().expect("a node").up.host().expect("a guest");
        std::mem::forget(token);
        let other = parent.clone();
        let thread = thread::spawn(move || other.cancel());
        // SAFETY: the count of the token, which was forgotten.
        unsafe { Hosted::let_go(job) };
        thread.join().unwrap();
        assert_eq!(told.get()[2], 1);
    });
}

#[test]
fn loom_r7_a_link_is_shared_against_its_last_holder() {
    loom_model("r7_a_link_is_shared_against_its_last_holder", || {
        let (root, parent) = (Token::new(), Token::new());
        let (one, gone) = guest(&root, Some(&parent));
        let thread = thread::spawn(move || drop(one));
        let (two, told) = guest(&root, Some(&parent));
        thread.join().unwrap();
        assert_eq!(gone.get()[2], 1);
        parent.cancel();
        assert!(two.is_cancelled());
        assert_eq!(told.get()[0], 1);
        drop(two);
        assert_eq!(told.get()[2], 1);
    });
}

#[test]
fn loom_r7_a_link_is_shared_against_cancel_of_its_parent() {
    loom_model("r7_a_link_is_shared_against_cancel_of_its_parent", || {
        let (root, parent) = (Token::new(), Token::new());
        let (one, first) = guest(&root, Some(&parent));
        let other = parent.clone();
        let thread = thread::spawn(move || other.cancel());
        let (two, second) = guest(&root, Some(&parent));
        thread.join().unwrap();
        assert!(one.is_cancelled() && two.is_cancelled());
        assert_eq!((first.get()[0], second.get()[0]), (1, 1));
    });
}

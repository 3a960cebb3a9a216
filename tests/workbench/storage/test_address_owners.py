"""Address owners: the first account that signs in with an address keeps it until its release."""

import threading

from workbench.people.accounts import Account
from workbench.storage.address_owners import claim, list_owners, release

ANNA, OTHER = Account("https://login.example.com", "4f2a"), Account("https://login.example.com", "4f2b")
ELSEWHERE = Account("https://login.example.org", "4f2a")


def test_an_address_belongs_to_the_first_account_that_claims_it(workspace):
    assert claim(workspace, "anna@example.com", ANNA) and claim(workspace, " Anna@Example.com", ANNA)
    assert not claim(workspace, "anna@example.com", OTHER)
    assert not claim(workspace, "ANNA@example.com", ELSEWHERE)
    assert list_owners(workspace) == {"anna@example.com": ANNA}
    assert claim(workspace, "ben@example.com", OTHER)


def test_an_address_that_is_given_free_goes_to_the_next(workspace):
    assert release(workspace, "anna@example.com") is None
    claim(workspace, "anna@example.com", ANNA)
    assert release(workspace, "Anna@example.com") == ANNA
    assert claim(workspace, "anna@example.com", OTHER) and not claim(workspace, "anna@example.com", ANNA)


def test_one_of_many_simultaneous_accounts_gets_the_address(workspace):
    workspace.database.close()  # opened, with no connection yet that the threads could share
    accounts = [Account("https://login.example.com", f"subject {number}") for number in range(8)]
    start, got = threading.Barrier(len(accounts)), []

    def try_one(account):
        start.wait()
        got.append((claim(workspace, "anna@example.com", account), account))

    threads = [threading.Thread(target=try_one, args=(account,)) for account in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [account for won, account in got if won]
    assert len(got) == len(accounts) and winners == list(list_owners(workspace).values())

"""Address owners: an e-mail address of the list belongs to the first account that signs in with it.

An address may change hands at a provider, or another provider may give it to somebody. An account never changes hands,
so the account keeps the role. An administrator releases an address for another person.
"""

from sqlalchemy import select

from workbench.people.accounts import Account, plain_address
from workbench.people.roles import Role, require
from workbench.storage.tables import AddressOwner
from workbench.storage.workspace import Workspace


def claim(workspace: Workspace, email: str, account: Account) -> bool:
    """Return whether an address belongs to an account; a free address belongs to this account from now on."""
    address = plain_address(email)
    with workspace.database.read() as session:
        row = session.get(AddressOwner, address)
    if row is None:
        with (
            workspace.database.write() as session
        ):  # the only writer: of two at once, the second finds the first
            row = session.get(AddressOwner, address)
            if row is None:
                row = AddressOwner(address=address, issuer=account.issuer, subject=account.subject)
                session.add(row)
    return _account(row) == account


def list_owners(workspace: Workspace) -> dict[str, Account]:
    """Return the addresses that belong to an account."""
    with workspace.database.read() as session:
        rows = session.scalars(select(AddressOwner).order_by(AddressOwner.address))
        return {row.address: _account(row) for row in rows}


def release(workspace: Workspace, email: str) -> Account | None:
    """Release an address for the next account that signs in with it, and return the former owner.

    Raises
    ------
    NotAllowed
        When the person acting is not an engineer.
    """
    require(Role.ENGINEER, "give addresses free")
    with workspace.database.write() as session:
        row = session.get(AddressOwner, plain_address(email))
        if row is None:
            return None
        session.delete(row)
        return _account(row)


def _account(row: AddressOwner) -> Account:
    return Account(row.issuer, row.subject)

import pytest

from vivavoce.errors import RequestError, StoreError
from vivavoce.gateway.client_secret import ClientSecrets, is_client_secret
from vivavoce.gateway.identity import digest
from vivavoce.gateway.settings import SecretUse
from vivavoce.store.memory import MemoryStore
from vivavoce.telemetry.private import Private
from vivavoce.telemetry.secret import Secret
from vivavoce.testing.clock import ManualClock
from vivavoce.wire.codec import decode_session
from vivavoce.wire.config import RealtimeSession, Session, TranscriptionSession

RICH = decode_session(
    '{"type":"realtime","model":"house","instructions":"Kérlek, röviden.","tools":[{"type":"function","name":"f",'
    '"parameters":{"type":"object"}}],"tool_choice":{"type":"function","name":"f"},"max_output_tokens":"inf",'
    '"truncation":{"type":"retention_ratio","retention_ratio":0.8},"tracing":"auto","prompt":null,'
    '"audio":{"input":{"format":{"type":"audio/pcmu"},"turn_detection":null},"output":{"voice":{"id":"voice_1"}}}}'
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.mark.parametrize("session", [None, RealtimeSession(), TranscriptionSession(), RICH])
async def test_a_secret_carries_the_config_and_the_identity_it_was_made_with(
    store: MemoryStore, clock: ManualClock, session: Session | None
) -> None:
    secrets = ClientSecrets(store, clock, SecretUse.REUSABLE)
    minted = await secrets.mint("anna", session, 600, Private("hash-of-user"))
    assert is_client_secret(minted.value)
    assert minted.expires_at == int(clock.wall()) + 600
    grant = await secrets.recognise(minted.value)
    assert (grant.identity, grant.session, grant.safety_identifier) == ("anna", session, Private("hash-of-user"))


async def test_the_store_never_sees_the_words(store: MemoryStore, clock: ManualClock) -> None:
    secrets = ClientSecrets(store, clock, SecretUse.REUSABLE)
    minted = await secrets.mint("anna", None, 600, None)
    assert minted.value.reveal() not in repr(vars(store))
    assert minted.value.reveal() not in repr(await secrets.recognise(minted.value))


async def test_a_secret_starts_several_sessions_until_it_expires_and_then_says_so(
    store: MemoryStore, clock: ManualClock
) -> None:
    secrets = ClientSecrets(store, clock, SecretUse.REUSABLE)
    minted = await secrets.mint("anna", None, 10, None)
    for _ in range(3):
        await secrets.spend(await secrets.recognise(minted.value))
    clock.advance(9.9)
    assert (await secrets.recognise(minted.value)).identity == "anna"
    clock.advance(0.2)
    with pytest.raises(RequestError) as expired:
        await secrets.recognise(minted.value)
    clock.advance(2 * 3600)
    with pytest.raises(RequestError) as forgotten:
        await secrets.recognise(minted.value)
    for refused in (expired, forgotten):
        assert (refused.value.status, refused.value.code) == (401, "invalid_api_key")
    assert "expired" in expired.value.message
    assert "expired" not in forgotten.value.message


async def test_by_policy_a_secret_is_good_for_one_start_even_if_two_try_at_once(
    store: MemoryStore, clock: ManualClock
) -> None:
    secrets = ClientSecrets(store, clock, SecretUse.ONCE)
    minted = await secrets.mint("anna", None, 600, None)
    first, second = await secrets.recognise(minted.value), await secrets.recognise(minted.value)
    await secrets.spend(first)
    with pytest.raises(RequestError) as late:
        await secrets.spend(second)
    assert (late.value.status, late.value.code) == (401, "invalid_api_key")
    with pytest.raises(RequestError):
        await secrets.recognise(minted.value)


@pytest.mark.parametrize("words", ["ek_", "ek_nonsense", "ek_" + "x" * 10_000])
async def test_made_up_secrets_are_refused(store: MemoryStore, clock: ManualClock, words: str) -> None:
    with pytest.raises(RequestError) as refused:
        await ClientSecrets(store, clock, SecretUse.REUSABLE).recognise(Secret(words))
    assert (refused.value.status, refused.value.code) == (401, "invalid_api_key")
    assert words not in refused.value.message


async def test_a_record_that_cannot_be_read_is_our_fault_and_not_the_callers(
    store: MemoryStore, clock: ManualClock
) -> None:
    secrets = ClientSecrets(store, clock, SecretUse.REUSABLE)
    minted = await secrets.mint("anna", None, 600, None)
    key = f"client_secret:{digest(minted.value).hex()}"
    assert await store.delete(key)
    await store.put_if_absent(key, b'{"of": "another version"}', 600)
    with pytest.raises(StoreError):
        await secrets.recognise(minted.value)

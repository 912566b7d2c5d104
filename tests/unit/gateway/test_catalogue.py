from openai.types import Model

from tests.unit.gateway.stand import MODELS, Stand


def test_models_are_listed_as_the_openai_package_reads_them(stand: Stand) -> None:
    reply = stand.get("/v1/models").json()
    assert reply["object"] == "list"
    assert [Model.model_validate(each, strict=True).id for each in reply["data"]] == [model.id for model in MODELS]


def test_one_model_is_shown_and_another_is_not_found(stand: Stand) -> None:
    shown = Model.model_validate_json(stand.get("/v1/models/parrot").body, strict=True)
    assert (shown.id, shown.owned_by) == ("parrot", "vivavoce")
    assert stand.get("/v1/models/gpt-x").error == (404, "model_not_found", "model")
    assert stand.get("/v1/models/org/gpt-x").error == (404, "model_not_found", "model")


def test_models_are_shown_to_callers_only(stand: Stand) -> None:
    assert stand.get("/v1/models", key=None).error == (401, "invalid_api_key", None)
    assert stand.get("/v1/models/house", key="sk-wrong-key-0000").error == (401, "invalid_api_key", None)
    assert stand.get("/v1/models", key=stand.secret()).status == 200

"""The page on a phone and on a desk, by day and by night, by keyboard and by ear."""

from typing import Literal

import pytest

from tests.browser.visitor import answered, visit

pytestmark = [pytest.mark.realtime, pytest.mark.xdist_group("browser")]

CONTRAST = """() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const colour = element ? getComputedStyle(element).backgroundColor : 'rgb(255, 255, 255)';
    return element && /, 0\\)$/.test(colour) ? ground(element.parentElement) : colour;
  };
  const shown = [...document.querySelectorAll('h1, p, dt, dd, button, label, .who, .mark')]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }) && element.innerText.trim());
  return shown.map((element) => {
    const [light, dark] = [getComputedStyle(element).color, ground(element)].map(luminance).sort((a, b) => b - a);
    return [element.innerText.trim(), (light + 0.05) / (dark + 0.05)];
  });
}"""
"""Every text that is seen, with the contrast to what lies behind it as WCAG reckons it."""


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
async def test_in_every_size_and_light_all_is_there_and_can_be_read(
    page_address: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    async with visit(page_address + "#key=k", width=width, scheme=scheme) as visitor:
        page = visitor.page
        peer = await answered(visitor)
        await visitor.call()
        await peer.until("peer.channel?.readyState === 'open'")
        said = {"type": "output_text", "text": "Pneumonoultramicroscopicsilicovolcanoconiosis " * 3}
        item = {"id": "item_a", "type": "message", "role": "assistant", "status": "completed", "content": [said]}
        await peer.say(
            {"type": "conversation.item.added", "item": item},
            {"type": "error", "error": {"message": "Something is not quite right."}},
        )
        await page.wait_for_selector("#captions li")
        await page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished))")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for name in ("#mute", "#words", "#send", "#call", "#open-settings"):
            box = await page.locator(name).bounding_box()
            assert box is not None
            assert box["x"] >= 0, name
            assert box["x"] + box["width"] <= width, name
            assert box["height"] >= 44, f"{name} is too small for a finger"
        faint = {text: contrast for text, contrast in await page.evaluate(CONTRAST) if contrast < 4.5}
        assert faint == {}
        assert visitor.complaints == []


async def test_the_keyboard_reaches_everything_and_every_control_has_a_name(page_address: str) -> None:
    async with visit(page_address + "#key=k") as visitor:
        page = visitor.page
        await answered(visitor)
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.id") == "open-settings"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.getElementById('settings').matches('[open]:modal')")
        await page.keyboard.press("Escape")
        await page.wait_for_selector("#settings", state="hidden")
        await page.focus("#call")
        await page.keyboard.press("Enter")
        await visitor.until("vivavoce.call?.state === 'connected'")
        await page.focus("#open-settings")
        reached: list[str] = []
        for _ in range(4):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate("document.activeElement.id"))
        assert reached == ["mute", "words", "send", "call"]
        for name in ("Settings", "Mute the microphone", "Send", "Hang up"):
            assert await page.get_by_role("button", name=name).count() == 1, name
        assert await page.get_by_role("textbox", name="Type a message").count() == 1
        assert await page.get_by_role("status").first.inner_text() == "Listening"

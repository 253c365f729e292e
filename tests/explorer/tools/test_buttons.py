"""Buttons do what they say and show what is possible."""

from __future__ import annotations

from pacifico.explorer.tools.buttons import Actions, PanelButtons


def test_buttons_act_and_show_what_is_possible():
    done = []
    buttons = PanelButtons(Actions(*(lambda name=name: done.append(name) for name in ("undo", "redo", "go", "drop"))))
    for button in (buttons.undo, buttons.redo, buttons.resume, buttons.forget):
        button.click()
    assert done == ["undo", "redo", "go", "drop"]
    buttons.resume.layout.display = ""
    buttons.show_history(can_undo=True, can_redo=False)
    assert (buttons.undo.disabled, buttons.redo.disabled, buttons.resume.layout.display) == (False, True, "none")
    buttons.show_refused(refused=True)
    assert buttons.forget.layout.display == ""
    buttons.show_refused(refused=False)
    assert buttons.forget.layout.display == "none"

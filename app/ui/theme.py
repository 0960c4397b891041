"""The look of the page: paper, ink and one deep green; fonts that are on the visitor's machine."""

import gradio as gr

INK = gr.themes.Color(
    c50="#f6f6f2",
    c100="#ecece5",
    c200="#dcdcd2",
    c300="#c0c1b6",
    c400="#8f938a",
    c500="#686d66",
    c600="#4d524c",
    c700="#383d39",
    c800="#262a28",
    c900="#191c1b",
    c950="#111413",
    name="ink",
)
FOREST = gr.themes.Color(
    c50="#eef6f2",
    c100="#d5eae0",
    c200="#acd5c3",
    c300="#7cbba2",
    c400="#4a9b7f",
    c500="#2b7d63",
    c600="#1f664f",
    c700="#1a5241",
    c800="#164236",
    c900="#12362c",
    c950="#091f19",
    name="forest",
)
BODY = ("Inter", "Segoe UI", "Roboto", "Helvetica Neue", "Noto Sans", "system-ui", "sans-serif")
MONO = ("ui-monospace", "Cascadia Mono", "Menlo", "Consolas", "monospace")


def build() -> gr.themes.Base:
    """The theme; nothing in it is fetched from another host."""
    return gr.themes.Base(
        primary_hue=FOREST,
        secondary_hue=FOREST,
        neutral_hue=INK,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_md,
        text_size=gr.themes.sizes.text_md,
        font=BODY,
        font_mono=MONO,
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        block_background_fill="#ffffff",
        block_background_fill_dark="*neutral_900",
        block_border_color="*neutral_200",
        block_border_color_dark="*neutral_800",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_title_text_weight="600",
        block_info_text_color="*neutral_500",
        block_info_text_color_dark="*neutral_400",
        input_background_fill="#ffffff",
        input_background_fill_dark="*neutral_900",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="#ffffff",
        button_secondary_background_fill="*neutral_100",
        button_secondary_background_fill_hover="*neutral_200",
        slider_color="*primary_500",
        link_text_color="*primary_600",
        link_text_color_dark="*primary_300",
    )
